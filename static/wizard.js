// Enhancements of the wizard: search, select all, the live example, the check of
// the URL.
"use strict";

// A refused step is the response to a POST. Back and reload should show the draft,
// not ask whether to send the form again.
const step = document.querySelector("form.wizard");
if (step) history.replaceState(null, "", step.action + location.hash);

// A page that the browser kept is as old as its form.
if (step) addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// What was refused is not wrong any more, as far as anybody knows, once it is changed.
step?.addEventListener("input", ({ target }) => {
  if (!target.hasAttribute("aria-invalid")) return;
  target.removeAttribute("aria-invalid");
  document.getElementById(`${target.id}-problem`)?.remove();
  document.querySelector(`.problems a[href="#${target.id}"]`)?.closest("li")?.remove();
  const summary = document.querySelector(".problems");
  const left = summary?.querySelectorAll("li").length;
  if (left === 0) summary.remove();
  else if (left) summary.querySelector("strong").textContent = left === 1 ? "There is a problem" : `${left} problems`;
});

for (const list of document.querySelectorAll("[data-search]")) {
  const items = [...list.querySelectorAll("[data-item]")];
  const texts = items.map((item) => `${item.textContent} ${item.querySelector("input").value}`.toLowerCase());
  const groups = [...list.querySelectorAll("[data-group]")];
  const parts = [...groups, ...list.querySelectorAll("[data-within]")]; // hidden when nothing in them matches
  const shows = []; // functions that update the number of chosen items of a group
  let open = null; // the groups that were open before the search
  const search = list.querySelector(".search");
  const input = search?.querySelector("input");
  const found = search?.querySelector(".found");
  const none = list.querySelector(".none");

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((item, i) => {
      item.hidden = !words.every((word) => texts[i].includes(word));
      if (!item.hidden) shown++;
    });
    for (const part of parts) part.hidden = !part.querySelector("[data-item]:not([hidden])");
    if (words.length) {
      open ??= new Set(groups.filter((group) => group.open));
      for (const group of groups) group.open = true;
    } else if (open) {
      for (const group of groups) group.open = open.has(group) || group.querySelector("input:checked") !== null;
      open = null;
    }
    none.hidden = shown > 0;
    for (const show of shows) show();
    found.textContent = words.length ? `${shown} of ${items.length}` : "";
  };

  if (search && items.length > 6) {
    search.hidden = false;
    let wait;
    input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 80); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // searches, does not submit the form
    });
    list.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !input.value) return;
      input.value = "";
      input.focus();
      filter();
    });
  }

  for (const group of groups) {
    const button = group.querySelector("[data-select-all]");
    const boxes = () => [...group.querySelectorAll("[data-item]:not([hidden]) input")];
    const chosen = group.querySelector(".chosen");
    const tally = group.querySelector(".tally");
    const label = button.firstChild;
    const words = label.textContent;
    const show = () => {
      const all = boxes();
      const checked = group.querySelectorAll("input:checked").length;
      if (chosen) chosen.textContent = `${checked} selected`;
      if (tally) tally.textContent = `${checked} of ${tally.dataset.of} chosen`;
      label.textContent = all.length && all.every((box) => box.checked) ? words.replace("Select", "Clear") : words;
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const all = boxes();
      const on = !all.every((box) => box.checked);
      for (const box of all) box.checked = on;
      show();
    });
    group.addEventListener("change", show);
    shows.push(show);
    show();
  }
}

const check = document.querySelector("[data-check]");
if (check) {
  const input = check.querySelector("input");
  const answer = check.querySelector(".check");
  const examples = [...document.querySelectorAll("[data-example]")].map((pre) => ({ pre, url: pre.dataset.example, text: pre.textContent }));

  const showExamples = () => {
    for (const { pre, url, text } of examples) {
      const typed = input.value.trim() || url;
      const at = text.indexOf(url);
      if (at < 0) continue;
      let rest = text.slice(at + url.length);
      if (/^[?&]/.test(rest)) { // the query begins with ? unless the URL has one of its own
        const joiner = !typed.includes("?") ? "?" : /[?&]$/.test(typed) ? "" : "&";
        rest = joiner + rest.slice(1);
      }
      pre.textContent = text.slice(0, at) + typed + rest;
    }
  };
  input.addEventListener("input", showExamples);

  // The press that leaves the field is the first half of a click: nothing may
  // move until the button is released, or the click misses its target.
  let pressed = Promise.resolve();
  addEventListener("pointerdown", () => {
    pressed = new Promise((up) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(up), { once: true });
    });
  }, true);

  let asked = "";
  input.addEventListener("blur", async () => {
    const url = input.value.trim();
    if (!url || url === asked) return;
    asked = url;
    await pressed;
    answer.textContent = "Checking…";
    try {
      const reply = await fetch(check.dataset.check, { method: "POST", body: new URLSearchParams({ url }) });
      let text = reply.ok || reply.status === 422 ? await reply.text() : "";
      if (reply.redirected) { // to the sign-in; a new tab keeps what was typed here
        text = `You are signed out. <a href="/login" target="_blank">Sign in again</a> (in a new tab), then go on here.`;
        asked = "";
      }
      await pressed;
      if (input.value.trim() === url) answer.innerHTML = text;
      try {
        sessionStorage.setItem("check", JSON.stringify({ url, text })); // the review shows it again
      } catch { /* the browser keeps nothing for this site */ }
    } catch {
      answer.textContent = "";
    }
  });
}

// What was wrong with the URL, if that is still the one.
const reviewed = document.querySelector("[data-checked]");
if (reviewed) {
  try {
    const { url, text } = JSON.parse(sessionStorage.getItem("check"));
    reviewed.innerHTML = text;
    reviewed.hidden = url !== reviewed.dataset.checked || !reviewed.querySelector(".bad, .warn");
  } catch { /* it was not checked, or the browser keeps nothing for this site */ }
}

// The preview follows the choices: the step is saved and shown again, of which only the
// preview is taken.
const preview = document.querySelector("[data-preview]");
if (preview) {
  const form = preview.closest("form");
  const button = form?.querySelector("button[name=preview]");
  if (button) button.hidden = true;
  let wait, waiting = 0, saved = Promise.resolve();
  const update = async () => {
    const body = new URLSearchParams(new FormData(form));
    body.set("preview", "1");
    try {
      const reply = await fetch(form.action, { method: "POST", body });
      if (!reply.ok || reply.redirected) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      form.elements.version.value = fresh.querySelector("form.wizard [name=version]").value;
      if (waiting === 1) preview.innerHTML = fresh.querySelector("[data-preview]").innerHTML;
    } catch { /* the next change tries again */ }
  };
  // One after another: each has the version that the one before it saved.
  const enqueue = () => {
    waiting++;
    saved = saved.then(update).finally(() => { waiting--; });
  };
  const later = () => { clearTimeout(wait); wait = setTimeout(enqueue, 400); };
  if (button) {
    form.addEventListener("change", later);
    form.addEventListener("click", (event) => { if (event.target.closest("[data-select-all]")) later(); });
    form.addEventListener("submit", (event) => {
      clearTimeout(wait);
      if (!waiting) return;
      event.preventDefault();
      saved.then(() => {
        delete form.dataset.sent;
        form.requestSubmit(event.submitter);
      });
    });
  }
}
