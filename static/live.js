// Keeps what changes by itself up to date while it is seen: how many deliveries
// came in since the list was made, and what becomes of one that is pending.
"use strict";

const news = document.querySelector("[data-live]");
if (news?.dataset.live) {
  let shown = "";
  const ask = async () => {
    if (document.hidden) return;
    try {
      const reply = await fetch(news.dataset.live, { headers: { accept: "text/html" } });
      if (!reply.ok || reply.redirected) return;
      const text = await reply.text();
      if (text !== shown) news.innerHTML = shown = text; // a live region speaks only of what changed
    } catch { /* the next time */ }
  };
  setInterval(ask, 10_000);
  document.addEventListener("visibilitychange", ask);
}

const story = document.querySelector("[data-watch]");
const look = async () => {
  if (!story.dataset.watch) return; // nothing will change by itself
  if (!document.hidden) {
    try {
      const reply = await fetch(location.pathname, { headers: { accept: "text/html" } });
      if (reply.redirected) return; // signed out
      if (reply.ok) update(new DOMParser().parseFromString(await reply.text(), "text/html"));
    } catch { /* the next time */ }
  }
  setTimeout(look, Number(story.dataset.next));
};

// What somebody is working with is not taken away from under them.
const update = (page) => {
  const fresh = page.querySelector("[data-watch]");
  story.dataset.next = fresh.dataset.next;
  if (fresh.dataset.watch === story.dataset.watch || document.activeElement.closest("[data-part]")) return;
  for (const part of document.querySelectorAll("[data-part]")) {
    part.innerHTML = page.querySelector(`[data-part="${part.dataset.part}"]`).innerHTML;
    enliven(part);
  }
  story.dataset.watch = fresh.dataset.watch;
};

if (story) setTimeout(look, Number(story.dataset.next));
