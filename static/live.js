// Says how many deliveries came in since the page was made, while it is seen.
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
