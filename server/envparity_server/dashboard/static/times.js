// Times come in UTC; people read them in their own zone, with the exact one in the title.
(() => {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-relative])")) {
      time.textContent = ("short" in time.dataset ? short : format).format(new Date(time.dateTime));
    }
  };
  localise(document);
  document.addEventListener("htmx:after:swap", () => localise(document));
})();
