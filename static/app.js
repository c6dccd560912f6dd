// What every page gains from JavaScript; each page works without it.
"use strict";

// A refused form: take the focus to what is wrong with it.
document.querySelector("[data-focus]")?.focus();

// What a page is given, at first and when a part of it is made anew.
const enliven = (root) => {
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

  // A box that asks closes by Escape, and when another one opens.
  const boxes = root.querySelectorAll("details.ask");
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

  // A form is sent once, however often its button is pressed.
  for (const form of root.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
};
enliven(document);
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
