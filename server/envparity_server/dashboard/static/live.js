// What the server tells while a page is open. A part of the page that says what it shows, as in
// <div id="hosts" {{ live("host report") }}>, is fetched anew when such a thing happens, but never under somebody's
// hands: while a person is in it, a button offers it instead.
(() => {
  const REST = 5000; // milliseconds between two fetches of a part, however much happens
  const main = document.getElementById("content");
  const parts = () => [...main.querySelectorAll("[data-live]")];
  if (!parts().length) return;

  const news = document.createElement("div"); // there from the start: readers tell what comes into it
  news.className = "live-news";
  news.setAttribute("aria-live", "polite");
  main.append(news);

  const fetchedAt = new Map(); // id of a part -> when
  const waiting = new Map(); // id of a part -> its timer
  const offered = new Set(); // ids of parts

  const isInUse = (part) => {
    const active = document.activeElement;
    const selection = getSelection();
    return (
      (active !== part && part.contains(active)) ||
      part.matches(":hover") ||
      (!selection.isCollapsed && selection.containsNode(part, true)) ||
      part.querySelector("details[open]") !== null
    );
  };

  const refresh = async (part) => {
    const id = part.id;
    fetchedAt.set(id, Date.now());
    withdraw(id);
    const answer = await fetch(part.dataset.liveFrom || location.href).catch(() => null);
    if (!answer?.ok || answer.redirected) return; // the server is away, or the session ended: what is shown stays
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
    if (!fresh) return;
    part.replaceWith(fresh);
    htmx.process(fresh);
    document.dispatchEvent(new CustomEvent("htmx:after:swap"));
  };

  const withdraw = (id) => {
    offered.delete(id);
    if (!offered.size) news.replaceChildren();
  };

  const offer = (id) => {
    offered.add(id);
    if (news.children.length) return;
    const button = document.createElement("button");
    button.className = "btn btn-primary btn-pill";
    button.textContent = "New: show";
    button.addEventListener("click", async () => {
      const ids = [...offered];
      await Promise.all(ids.map((one) => refresh(document.getElementById(one))));
      const first = document.getElementById(ids[0]);
      first.tabIndex = -1; // the button is gone, and the keyboard goes on where the news is
      first.focus({ preventScroll: true });
    });
    news.append(button);
  };

  const show = (id) => {
    waiting.delete(id);
    const part = document.getElementById(id);
    if (isInUse(part)) offer(id);
    else refresh(part);
  };

  const hear = (kind) => {
    for (const part of parts()) {
      const shows = kind === "missed" || part.dataset.live.split(" ").includes(kind);
      if (!shows || waiting.has(part.id)) continue;
      const rest = REST - (Date.now() - (fetchedAt.get(part.id) ?? 0));
      waiting.set(part.id, setTimeout(show, Math.max(0, rest), part.id));
    }
  };

  let since = parts()[0].dataset.made;
  let source = null;
  const listen = () => {
    source = new EventSource(`/events?since=${encodeURIComponent(since)}`);
    for (const kind of ["alive", "missed", "host", "report", "change", "drift", "gate"]) {
      source.addEventListener(kind, (event) => {
        since = event.lastEventId;
        hear(kind);
      });
    }
  };

  // a browser has few connections to a server: a page that nobody sees holds none
  const follow = () => {
    if (document.hidden) source?.close();
    else if (!source || source.readyState === EventSource.CLOSED) listen();
  };
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => source?.close());
  follow();
})();
