// Draws `<figure data-chart="lines|bars" data-table="ID">` from the table with that id: its first column has the labels,
// each other one is a series. A cell may say its number in `data-value`; the table its unit in `data-unit` and the top of
// the scale in `data-most`. The picture is for the eye only: whoever does not see it has the table.
(() => {
  const COLOURS = ["blue", "orange", "green", "purple", "red", "cyan", "pink", "yellow"];
  const DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4]]; // lines are told apart by more than their colour
  const HEIGHT = 240;
  const MARGIN = 64; // for the scale on the left
  const drawn = new Map(); // the place in a figure -> its chart

  const number = (cell) => {
    const value = parseFloat(cell?.dataset.value ?? cell?.textContent.replace(/[\s,]/g, ""));
    return Number.isFinite(value) ? value : null;
  };

  const read = (table) => {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
    return {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      series: names.map((name, index) => ({ name, values: rows.map((row) => number(row.cells[index + 1])) })),
      unit: table.dataset.unit ? ` ${table.dataset.unit}` : "",
      most: parseFloat(table.dataset.most) || null,
      heading: table.tHead.rows[0].cells[0].textContent.trim(),
    };
  };

  const cut = (text, most) => (text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text);

  // bars of several series stand on each other: each is as high as it and all before it
  const stacked = (series) =>
    series.reduce((sums, { values }) => {
      const below = sums.at(-1);
      return [...sums, values.map((value, index) => (value ?? 0) + (below ? below[index] : 0))];
    }, []);

  // a canvas knows neither variables nor light-dark(): an element's style says what they come to
  const palette = (place) => {
    const probe = place.appendChild(document.createElement("span"));
    const colour = (name) => {
      probe.style.color = `var(--tblr-${name})`;
      return getComputedStyle(probe).color;
    };
    const found = { series: COLOURS.map(colour), text: colour("secondary"), grid: colour("border-color") };
    probe.remove();
    return found;
  };

  const options = (told, bars, place) => {
    const colours = palette(place);
    const font = `12px ${getComputedStyle(place).fontFamily}`;
    const axis = { stroke: colours.text, font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
    const shown = (value) => (value === null ? "—" : `${value.toLocaleString()}${told.unit}`);
    const hovered = (values) => (_, __, ___, at) => (at === null || at === undefined ? "" : values(at));
    const series = told.series.map(({ name, values }, index) => ({
      label: name,
      stroke: colours.series[index % COLOURS.length],
      fill: bars ? colours.series[index % COLOURS.length] : undefined,
      width: bars ? 0 : 2,
      dash: bars ? undefined : DASHES[index % DASHES.length],
      paths: bars ? uPlot.paths.bars({ size: [0.7, 48] }) : undefined,
      points: { show: !bars && told.labels.length < 2 },
      value: hovered((at) => shown(values[at])),
    }));
    return {
      width: place.clientWidth,
      height: HEIGHT,
      scales: {
        x: { time: false, range: [-0.5, told.labels.length - 0.5] },
        y: { range: (_, __, most) => [0, told.most ?? (most || 1) * 1.1] },
      },
      axes: [
        { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100], space: 64, values: (chart, at) => at.map((one) => cut(told.labels[one] ?? "", (chart.width - MARGIN) / at.length / 8)) },
        { ...axis, incrs: [1, 2, 5, 10, 20, 25, 50].flatMap((one) => [one, one * 100, one * 10000]).sort((a, b) => a - b),
          size: MARGIN, values: (_, at) => at.map(shown) },
      ],
      // the last of a stack is the highest: it is drawn first, so that the others stand before it
      series: [{ label: told.heading, value: hovered((at) => told.labels[at]) }, ...(bars ? series.reverse() : series)],
    };
  };

  const draw = (place) => {
    drawn.get(place)?.destroy();
    drawn.delete(place);
    const { chart, table } = place.parentElement.dataset;
    const told = read(document.getElementById(table));
    if (!told.labels.length || !place.clientWidth) return;
    const bars = chart === "bars";
    const values = bars ? stacked(told.series).reverse() : told.series.map((one) => one.values);
    drawn.set(place, new uPlot(options(told, bars, place), [told.labels.map((_, at) => at), ...values], place));
  };

  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = drawn.get(target);
      if (chart?.width !== target.clientWidth) draw(target);
    }
  });

  const find = () => {
    for (const place of drawn.keys()) if (!place.isConnected) drawn.delete(place);
    for (const figure of document.querySelectorAll("figure[data-chart]:not(:has(> .chart))")) {
      const place = document.createElement("div");
      place.className = "chart";
      place.setAttribute("aria-hidden", "true");
      figure.prepend(place);
      resized.observe(place); // which draws it, now and whenever there is more or less room
    }
  };

  find();
  document.addEventListener("htmx:after:swap", find);
  new MutationObserver(() => [...drawn.keys()].forEach(draw)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
