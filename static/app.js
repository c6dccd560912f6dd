// Enhancements of all pages; each page works without JavaScript.
"use strict";

// Moves the focus to the problems of a form that was refused.
document.querySelector("[data-focus]")?.focus();

// enhance adds behaviour to a page, or to a part of it that was replaced.
const enhance = (root) => {
  // Buttons that copy a text.
  for (const button of root.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    const label = button.querySelector("span");
    const before = label.innerHTML;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        label.textContent = "Copied";
      } catch {
        label.textContent = "Press Ctrl+C";
        getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      }
      setTimeout(() => { label.innerHTML = before; }, 2000);
    });
  }

  // A confirmation takes the focus, and closes on Escape and when another one opens.
  const boxes = root.querySelectorAll("details.confirm");
  for (const box of boxes) {
    box.addEventListener("toggle", () => {
      if (!box.open) return;
      for (const other of boxes) if (other !== box && !other.contains(box)) other.open = false;
      if (box.contains(document.activeElement)) box.querySelector(".confirm-box").focus();
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !box.open) return;
      box.open = false;
      box.querySelector("summary").focus();
    });
  }

  // A form is sent once, even if its button is pressed repeatedly.
  for (const form of root.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
};
enhance(document);

// The time zone of the first account is most likely that of the browser.
const zones = document.querySelector("select[data-guess-zone]");
if (zones) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && ![...zones.options].some((option) => option.value === zone)) zones.add(new Option(zone.replaceAll("_", " "), zone));
  if (zone) zones.value = zone;
}

// Of tabs that scroll sideways, that of the page is in view.
for (const tabs of document.querySelectorAll(".tabs ul")) {
  const current = tabs.querySelector("[aria-current]");
  if (current) tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
}

// The ticked rows of a list: how many the button takes, and all at once.
const ticked = document.querySelector("[data-ticked]");
if (ticked) {
  const label = ticked.querySelector("span");
  const untouched = label.textContent;
  const boxes = () => [...document.querySelectorAll("td.tick input[name]")];
  const all = document.querySelector("[data-tick-all]");
  const count = () => {
    const n = boxes().filter((box) => box.checked).length;
    label.textContent = n ? ticked.dataset.ticked.replace("%", n) : "needsTick" in ticked.dataset ? "Send ticked again…" : untouched;
    ticked.disabled = !n && "needsTick" in ticked.dataset;
    all.checked = n > 0 && n === boxes().length;
    all.indeterminate = n > 0 && !all.checked;
  };
  all.closest("label").hidden = false;
  all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; });
  document.addEventListener("change", (event) => { if (event.target.closest(".tick")) count(); });
  addEventListener("pageshow", count);
  count();
}
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// The key / moves to the search, unless something is being typed, or the person has
// switched off keys.
const find = document.querySelector("[data-find]");
if (find) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    try {
      if (localStorage.getItem("keys") === "off") return;
    } catch { /* the browser keeps nothing for this site */ }
    event.preventDefault();
    find.focus();
    find.select();
  });
}
