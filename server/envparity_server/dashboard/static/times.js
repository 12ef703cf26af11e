// Times come in UTC; people read them in their own zone, with the exact one in the title.
(() => {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-relative])")) {
      time.textContent = format.format(new Date(time.dateTime));
    }
  };
  localise(document);
  document.addEventListener("htmx:after:swap", () => localise(document));
})();
