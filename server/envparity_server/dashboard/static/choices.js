// A list of things to tick: one box ticks all of them, and how many are ticked is told.
for (const form of document.querySelectorAll("form[data-choices]")) {
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  const untold = count.textContent;
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    count.textContent = ticked ? `the ${ticked} that ${ticked > 1 ? "are" : "is"} ticked` : untold;
  };
  all.hidden = boxes.length === 0;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  form.addEventListener("change", tell);
  tell(); // a browser that came back remembers what was ticked
}
