// Keys of all pages; whatever a key does has a visible way, too.
"use strict";

{
  const help = document.getElementById("keys");
  const isOn = help.querySelector("input");
  try {
    isOn.checked = localStorage.getItem("keys") !== "off";
    isOn.addEventListener("change", () => localStorage.setItem("keys", isOn.checked ? "on" : "off"));
    isOn.closest("label").hidden = false;
  } catch { /* the browser keeps nothing for this site */ }

  const currentRow = () => document.activeElement.closest(".log tbody tr");

  // step moves the focus to the row beside the current one, or opens the delivery
  // beside the one that is shown.
  const step = (down) => {
    const rows = [...document.querySelectorAll(".log tbody tr")];
    const beside = document.querySelector(`.head a[rel=${down ? "next" : "prev"}]`);
    if (rows.length === 0 || beside) return beside?.click();
    const at = rows.indexOf(currentRow());
    const to = at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + (down ? 1 : -1)));
    rows[to].querySelector(".whole").focus({ focusVisible: true });
  };

  // replay sends the delivery of the current row, or the one that is shown, again; if
  // there is something to confirm, it asks.
  const replay = () => {
    const action = currentRow()?.dataset.replay;
    if (action) {
      const form = document.createElement("form");
      form.method = "post";
      form.action = action;
      document.body.append(form);
      return form.submit();
    }
    const button = document.querySelector('.actions form:is([action$="/replay"], [action*="/replay?"]) button');
    const box = button?.closest("details:not([open])");
    (box ? box.querySelector("summary") : button)?.click();
  };

  const actions = {
    j: () => step(true),
    k: () => step(false),
    x: () => currentRow()?.querySelector("input[type=checkbox]")?.click(),
    r: replay,
    "?": () => help.togglePopover(),
  };

  const isField = (e) => e.matches("select, textarea, input:not([type=checkbox], [type=radio])") || e.isContentEditable;

  let goes = -Infinity; // when g was pressed
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isField(event.target)) event.target.blur();
    if (!isOn.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isField(event.target)) return;
    if (event.timeStamp - goes < 1500) {
      goes = -Infinity;
      const to = help.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (to) location.assign(to.dataset.go);
      return;
    }
    if (event.key === "g") goes = event.timeStamp;
    if (!Object.hasOwn(actions, event.key) || event.repeat && event.key === "r") return;
    event.preventDefault();
    actions[event.key]();
  });
}
