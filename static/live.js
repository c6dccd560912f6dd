// Keeps a visible page up to date: how many deliveries are new since the list was
// rendered, and the state of a pending delivery.
"use strict";

const news = document.querySelector("[data-live]");
if (news?.dataset.live) {
  let shown = "";
  const poll = async () => {
    if (document.hidden) return;
    try {
      const reply = await fetch(news.dataset.live, { headers: { accept: "text/html" } });
      if (!reply.ok || reply.redirected) return;
      const text = await reply.text();
      if (text !== shown) news.innerHTML = shown = text; // a live region announces only changes
    } catch { /* tried again the next time */ }
  };
  setInterval(poll, 10_000);
  document.addEventListener("visibilitychange", poll);
}

const story = document.querySelector("[data-watch]");
const here = new URL(location); // in the list from which it was opened
here.searchParams.delete("attempt"); // the newest is open in what is fetched
const refresh = async () => {
  if (!story.dataset.watch) return; // nothing will change by itself
  if (!document.hidden) {
    try {
      const reply = await fetch(here, { headers: { accept: "text/html" } });
      if (reply.redirected) return; // signed out
      if (reply.ok) update(new DOMParser().parseFromString(await reply.text(), "text/html"));
    } catch { /* tried again the next time */ }
  }
  setTimeout(refresh, Number(story.dataset.next));
};

// update replaces the parts that changed, but none that has the focus.
const update = (page) => {
  const fresh = page.querySelector("[data-watch]");
  story.dataset.next = fresh.dataset.next;
  if (fresh.dataset.watch === story.dataset.watch || document.activeElement.closest("[data-part]")) return;
  for (const part of document.querySelectorAll("[data-part]")) {
    part.innerHTML = page.querySelector(`[data-part="${part.dataset.part}"]`).innerHTML;
    enhance(part);
  }
  story.dataset.watch = fresh.dataset.watch;
};

if (story) setTimeout(refresh, Number(story.dataset.next));
