// Keeps a page up to date without a reload: its parts change in place, and the rows of
// a list that are new are announced. One tab of the browser at a time listens to a
// stream that says when something has changed, and tells the others; a tab that is
// hidden does neither. Where there is no stream, each asks every ten seconds.
"use strict";

{
  const often = 10_000; // between two refreshes without the stream
  const seldom = 60_000; // with it: "3 min ago" gets old
  const most = 200; // rows of a list; the server refreshes some more
  const pageOf = 50; // rows of a page of the server

  const toggle = document.querySelector("[data-follow]");
  let seen = toggle.dataset.follow; // the state of the account that the page shows
  let told = seen; // the newest that is known
  let on = true;
  try {
    on = localStorage.getItem("live") !== "off";
  } catch { /* the browser keeps nothing for this site */ }
  const follows = () => on && !document.hidden;

  // What is done to an element by script or by the person stays as it is.
  const still = "input, select, textarea, thead, [data-copy], [data-still]";
  const keptBy = (element) => {
    const names = element.matches("tr") ? ["class"] : ["data-sent"];
    return element.matches(".attempt.live") ? names : [...names, "open"]; // an attempt that ends opens
  };

  // adopt returns a copy of a node of a fetched page, with its behaviour.
  const adopt = (node) => {
    const fragment = document.createDocumentFragment();
    fragment.append(document.importNode(node, true));
    enhance(fragment);
    return fragment;
  };

  const keyOf = (node) => node.dataset?.key || node.id || "";
  const isLike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  // update makes an element like a fresh one, and keeps every node that it can.
  const update = (element, fresh) => {
    if (element.isEqualNode(fresh) || element.matches(still)) return;
    if (element.matches("[data-rows]")) return updateRows(element, fresh);
    const kept = keptBy(element);
    for (const { name, value } of [...fresh.attributes]) {
      if (!kept.includes(name) && element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
    for (const { name } of [...element.attributes]) {
      if (!kept.includes(name) && !fresh.hasAttribute(name)) element.removeAttribute(name);
    }
    let next = element.firstChild;
    for (const node of [...fresh.childNodes]) {
      let found = next;
      while (found && !isLike(found, node)) found = found.nextSibling;
      if (!found) {
        element.insertBefore(adopt(node), next);
        continue;
      }
      while (next !== found) next = remove(next);
      next = found.nextSibling;
      if (node.nodeType === Node.ELEMENT_NODE) update(found, node);
      else if (found.nodeValue !== node.nodeValue) found.nodeValue = node.nodeValue;
    }
    while (next) next = remove(next);
  };

  const remove = (node) => {
    const next = node.nextSibling;
    node.remove();
    return next;
  };

  // A list: the rows that it shows change in place, and others are only announced.
  let arrived = { body: null, rows: [], fresh: [] };
  const updateRows = (body, freshBody) => {
    const fresh = [...freshBody.rows];
    const shown = new Map([...body.rows].map((row) => [row.dataset.key, row]));
    const last = fresh.findLastIndex((row) => shown.has(row.dataset.key));
    const older = freshBody.hasAttribute("data-more") && last >= 0; // what is behind the last one is on the next page
    const rows = fresh.filter((row, i) => !shown.has(row.dataset.key) && !(older && i > last));
    for (const row of fresh) if (shown.has(row.dataset.key)) update(shown.get(row.dataset.key), row);
    arrived = { body, rows, fresh };
    announce();
  };

  const news = document.querySelector("[data-news]");
  const announce = () => {
    const n = arrived.rows.length;
    if (!n) return news.replaceChildren();
    const [one, many] = arrived.body.dataset.rows.split("|");
    const text = (n < pageOf ? n : `${pageOf} or more`) + ` ${n === 1 ? one : many} – show`;
    if (news.textContent === text) return;
    if (news.firstChild) return news.firstChild.textContent = text;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", show);
    news.append(button);
  };

  // show puts the rows that were announced into the list, above a line. If there may be
  // more between them and the list, it opens the list anew.
  const show = () => {
    const { body, rows, fresh } = arrived;
    if (rows.length >= pageOf || body.rows.length + rows.length > most) return location.assign(location.href.split("#")[0]);
    for (const row of body.rows) row.classList.remove("arrived", "until");
    const shown = new Map([...body.rows].map((row) => [row.dataset.key, row]));
    const added = [];
    let next = body.rows[0];
    for (const row of fresh) {
      const known = shown.get(row.dataset.key);
      if (known) {
        next = known.nextElementSibling;
      } else if (rows.includes(row)) {
        body.insertBefore(adopt(row), next ?? null);
        added.push(next ? next.previousElementSibling : body.lastElementChild);
      }
    }
    for (const row of added) row.classList.add("arrived");
    body.querySelector(".arrived + :not(.arrived)")?.classList.add("until");
    arrived = { body, rows: [], fresh: [] };
    announce();
    const count = document.querySelector("[data-count]");
    if (count) count.textContent = fresh[0].ownerDocument.querySelector("[data-count]").textContent;
    added[0].querySelector(".whole").focus();
    added[0].querySelector("input")?.dispatchEvent(new Event("change", { bubbles: true })); // counts the ticked rows
  };

  // inUse reports whether a part may not change now: a person types in it, has marked
  // some of it, is asked something, or points at what could move. Rows and the bars of charts do not.
  const used = ":is(a, button, input, select, textarea):focus, details.confirm[open]" +
    (matchMedia("(hover: hover)").matches ? ", :is(a, button, summary, label):hover" : "");
  const inUse = (part) => {
    const selection = getSelection();
    if (!selection.isCollapsed && selection.containsNode(part, true)) return true;
    return [...part.querySelectorAll(used)]
      .some((element) => !element.closest("[data-rows], .slots"));
  };

  let fetched = null; // a page of which some parts could not be shown yet
  const apply = (page) => {
    fetched = null;
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!fresh || part.isEqualNode(fresh)) continue;
      if (inUse(part)) fetched = page;
      else update(part, fresh);
    }
  };
  let settling = 0;
  for (const event of ["pointerout", "focusout", "selectionchange", "toggle"]) {
    document.addEventListener(event, () => {
      clearTimeout(settling);
      if (fetched) settling = setTimeout(() => { if (fetched && on) apply(fetched); }, 300);
    }, true);
  }

  // accountOf is the account that a page shows; in another tab somebody may sign in to
  // another one.
  const accountOf = (page) => page.querySelector(".account").textContent;

  let busy = false;
  let again = false; // something changed meanwhile
  let timer = 0;
  const refresh = async () => {
    if (!follows() || document.querySelector("form[data-sent]")) return; // another page comes
    if (busy) return again = true;
    busy = true;
    again = false;
    clearTimeout(timer);
    const begun = performance.now();
    try {
      const rows = [...document.querySelectorAll("[data-rows] > [data-key]")].map((row) => row.dataset.key);
      const reply = await fetch(location.href.split("#")[0], { headers: { accept: "text/html", "bookhook-refresh": rows.join(" ") || "none" } });
      if (reply.redirected || reply.status === 404) { // signed out, or deleted
        on = false;
        return listen();
      }
      if (reply.ok) {
        const page = new DOMParser().parseFromString(await reply.text(), "text/html");
        if (accountOf(page) !== accountOf(document)) return location.reload();
        seen = page.querySelector("[data-follow]").dataset.follow;
        if (follows()) apply(page);
      }
    } catch { /* tried again the next time */ }
    timer = setTimeout(refresh, seldom);
    setTimeout(() => {
      busy = false;
      if (again) refresh();
    }, Math.min(often, Math.max(1000, 20 * (performance.now() - begun)))); // a slow server is asked less often
  };

  // hear takes what is known about the account; "" is nothing.
  const hear = (state) => {
    told = state;
    if (state === "" || state !== seen) refresh();
  };
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("live") : null;
  let leads = false;
  const tell = (state) => {
    channel?.postMessage(state);
    hear(state);
  };
  channel?.addEventListener("message", ({ data }) => {
    if (data !== "?") hear(data);
    else if (leads) channel.postMessage(told);
  });

  // lead listens for all tabs, until the signal.
  const lead = (signal) => new Promise((done) => {
    let source;
    let polling = 0;
    let retry = 0;
    const open = () => {
      source = new EventSource("/live");
      source.addEventListener("message", ({ data }) => {
        clearInterval(polling);
        polling = 0;
        tell(data);
      });
      source.addEventListener("error", () => {
        polling ||= setInterval(() => tell(""), often);
        if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, seldom); // refused
      });
    };
    leads = true;
    open();
    signal.addEventListener("abort", () => {
      leads = false;
      source.close();
      clearInterval(polling);
      clearTimeout(retry);
      done();
    });
  });

  // listen begins or ends to follow, as it is to be now.
  let leading = null;
  const listen = () => {
    toggle.setAttribute("aria-pressed", on);
    if (follows() === Boolean(leading)) return;
    if (leading) {
      clearTimeout(timer);
      leading.abort();
      leading = null;
      return;
    }
    leading = new AbortController();
    const { signal } = leading;
    timer = setTimeout(refresh, seldom);
    if (!navigator.locks) { // not over HTTPS: the tabs cannot agree on one
      const polling = setInterval(refresh, often);
      return signal.addEventListener("abort", () => clearInterval(polling));
    }
    channel.postMessage("?"); // what changed while this tab was hidden
    navigator.locks.request("live", { signal }, () => lead(signal)).catch(() => {}); // it was hidden before its turn
  };

  // goOn follows again what has happened meanwhile, or no longer.
  const goOn = () => {
    listen();
    if (!navigator.locks) refresh(); // the stream begins with what is known
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    on = !on;
    try {
      localStorage.setItem("live", on ? "on" : "off");
    } catch { /* for this page only, then */ }
    goOn();
  });
  document.addEventListener("visibilitychange", goOn);
  addEventListener("pagehide", () => { leading?.abort(); leading = null; });
  addEventListener("pageshow", (event) => { if (event.persisted) goOn(); });
  listen();
}
