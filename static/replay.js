// Counts a new replay again when one of its options is changed.
"use strict";

const options = document.querySelector("[data-replay]");
const plan = document.querySelector('[data-part="plan"]');
options.querySelector("[data-recount]").hidden = true;
let asked = 0;
options.addEventListener("change", async () => {
  const number = ++asked;
  const address = "/replays/new?" + new URLSearchParams(new FormData(options));
  for (const button of plan.querySelectorAll("button")) button.disabled = true; // it would send what was counted before
  try {
    const reply = await fetch(address, { headers: { accept: "text/html" } });
    if (reply.redirected) return location.assign(address);
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (number !== asked) return;
    if (!reply.ok) return location.assign(address); // shows the problems at their fields
    plan.innerHTML = page.querySelector('[data-part="plan"]').innerHTML;
    enhance(plan);
    history.replaceState(null, "", address);
  } catch {
    location.assign(address);
  }
});
