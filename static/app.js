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

  // A confirmation closes on Escape, and when another one opens.
  const boxes = root.querySelectorAll("details.confirm");
  for (const box of boxes) {
    box.addEventListener("toggle", () => {
      if (!box.open) return;
      for (const other of boxes) if (other !== box && !other.contains(box)) other.open = false;
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
