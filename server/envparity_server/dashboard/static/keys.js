// The keyboard: / for search, arrows in lists, Esc back, ? for help. Arrows act on the links of rows only, so that they
// scroll everywhere else; the keys that are characters can be turned off: https://www.w3.org/TR/WCAG22/#character-key-shortcuts
(() => {
  const ROWS = "main table tbody th a, main .list-group > a, main [data-rows] a";
  const search = document.getElementById("search");
  const help = document.getElementById("keys");
  const opener = document.getElementById("show-keys");
  const toggle = document.getElementById("use-keys");

  const areOn = () => localStorage.getItem("keys") !== "off";
  const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");

  const step = (key, current, rows) => {
    const at = rows.indexOf(current);
    const last = rows.length - 1;
    if (key === "Home") return 0;
    if (key === "End") return last;
    return key === "ArrowDown" || key === "j" ? Math.min(at + 1, last) : Math.max(at - 1, 0);
  };

  const move = (event) => {
    const current = document.activeElement;
    const isLetter = event.key === "j" || event.key === "k";
    if (isLetter && !areOn()) return;
    if (!current.matches(ROWS) && !(isLetter && current === document.body)) return;
    // letters go through all lists of a page, as no other key leads from one to the next
    const scope = isLetter ? main : current.closest("table, .list-group, [data-rows]");
    const rows = [...scope.querySelectorAll(ROWS)].filter((row) => row.checkVisibility());
    if (!rows.length) return;
    event.preventDefault();
    rows[step(event.key, current, rows)].focus();
  };

  const back = (event) => {
    if (help.open) return; // the browser closes it
    const inside = document.activeElement.closest("details[open]");
    if (document.activeElement === search) search.blur();
    else if (inside) {
      inside.open = false;
      inside.querySelector("summary").focus();
    } else return;
    event.preventDefault();
  };

  const main = document.getElementById("content");
  const characters = { "/": () => search?.focus(), "?": () => help.showModal() };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") back(event);
    else if (isTyping(document.activeElement) || help.open) return;
    else if (["ArrowDown", "ArrowUp", "Home", "End", "j", "k"].includes(event.key)) move(event);
    else if (event.key in characters && areOn()) {
      event.preventDefault();
      characters[event.key]();
    }
  });

  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  toggle.checked = areOn();
  toggle.addEventListener("change", () => localStorage.setItem("keys", toggle.checked ? "on" : "off"));
})();
