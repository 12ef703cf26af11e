// Draws packages by hosts from one byte a cell, and tells the cell that somebody points at.
// The bytes: see `fetch_picture` in picture_page.py and `Shade` in drift/picture.py.

const section = document.getElementById("picture");
const canvas = document.getElementById("cells");
const told = document.getElementById("told");
const legend = [...document.querySelectorAll("#legend li")];
const WIDEST = 96; // CSS pixels of a cell
const HIGHEST = 18;
const OTHER = 31;

const read = (buffer) => {
  const length = new DataView(buffer).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { ...head, cells: new Uint8Array(buffer, 4 + length) };
};

// What a colour of the style is in red, green and blue, however it is written there.
const colours = () => {
  const dot = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  return legend.map((entry) => {
    dot.fillStyle = getComputedStyle(entry.querySelector(".shade")).backgroundColor;
    dot.fillRect(0, 0, 1, 1);
    return new DataView(dot.getImageData(0, 0, 1, 1).data.buffer).getUint32(0, true);
  });
};

// One pixel a cell; it is stretched without smoothing, so that it stays sharp.
const painted = ({ hosts, lines, cells }) => {
  const small = new OffscreenCanvas(hosts.length, lines.length);
  const palette = colours();
  const pixels = new Uint32Array(cells.length);
  for (let place = 0; place < cells.length; place += 1) pixels[place] = palette[cells[place] & 7];
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), hosts.length, lines.length);
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
};

const fitted = (room, count, most, ratio) => Math.max(1, Math.min(Math.floor((room * ratio) / count), most * ratio));

class Picture {
  constructor(data) {
    this.data = data;
    this.row = 0;
    this.column = 0;
    this.held = false;
    this.paint();
  }

  paint() {
    this.small = painted(this.data);
    this.fit();
  }

  fit() {
    const ratio = window.devicePixelRatio || 1;
    const { hosts, lines } = this.data;
    this.width = fitted(canvas.parentElement.clientWidth, hosts.length, WIDEST, ratio);
    this.height = fitted(640, lines.length, HIGHEST, ratio);
    canvas.width = this.width * hosts.length;
    canvas.height = this.height * lines.length;
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    this.draw();
  }

  draw() {
    const brush = canvas.getContext("2d");
    brush.imageSmoothingEnabled = false;
    brush.drawImage(this.small, 0, 0, canvas.width, canvas.height);
    const ink = getComputedStyle(canvas);
    brush.lineWidth = 2;
    brush.strokeStyle = ink.color;
    const edge = 3; // around the cell, so that a cell of one pixel can be found
    brush.strokeRect(
      this.column * this.width - edge, this.row * this.height - edge,
      this.width + 2 * edge, this.height + 2 * edge,
    );
  }

  go(row, column) {
    const { hosts, lines } = this.data;
    this.row = Math.max(0, Math.min(row, lines.length - 1));
    this.column = Math.max(0, Math.min(column, hosts.length - 1));
    this.draw();
    this.tell();
  }

  at(event) {
    const box = canvas.getBoundingClientRect();
    const { hosts, lines } = this.data;
    this.go(
      Math.floor(((event.clientY - box.top) / box.height) * lines.length),
      Math.floor(((event.clientX - box.left) / box.width) * hosts.length),
    );
  }

  get here() {
    const [id, name, environment] = this.data.hosts[this.column];
    const [path, item, values] = this.data.lines[this.row];
    const cell = this.data.cells[this.row * this.data.hosts.length + this.column];
    const number = cell >> 3;
    const isTold = (cell & 7) < 5; // after these come the states without a value
    return {
      host: `${name} (${environment})`,
      item: item || "the whole section",
      path,
      state: legend[cell & 7].textContent.trim(),
      value: isTold ? (number < OTHER ? values[number] : "another value") : "",
      compare: `/compare?${new URLSearchParams({ left: `env:${environment}`, right: `host:${id}`, section: path })}`,
      package: item ? `/packages/item?${new URLSearchParams({ section: path, item })}` : "",
    };
  }

  tell() {
    const here = this.here;
    const link = (address, words) => Object.assign(document.createElement("a"), { href: address, textContent: words });
    const strong = Object.assign(document.createElement("strong"), { textContent: here.item });
    const parts = [strong, ` in ${here.path} on ${here.host}: ${here.value ? `${here.value}, ` : ""}${here.state}. `];
    parts.push(link(here.compare, "Compare the host"));
    if (here.package) parts.push(" · ", link(here.package, "Who has this package"));
    told.replaceChildren(...parts);
  }

  open() {
    location.href = this.here.compare;
  }

  key(event) {
    const far = event.shiftKey ? 10 : 1;
    const moves = {
      ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far],
      PageUp: [-50, 0], PageDown: [50, 0], Home: [0, -Infinity], End: [0, Infinity],
    };
    const move = moves[event.key];
    if (move) this.go(this.row + move[0], this.column + move[1]);
    else if (event.key === "Enter") this.open();
    else if (event.key === "Escape") this.held = false;
    else return;
    event.preventDefault();
  }
}

const start = async () => {
  const answer = await fetch(section.dataset.source, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const data = read(await answer.arrayBuffer());
  document.getElementById("waiting").remove();
  canvas.hidden = false;
  const picture = new Picture(data);
  canvas.addEventListener("pointermove", (event) => picture.held || picture.at(event));
  canvas.addEventListener("click", (event) => {
    picture.held = true;
    picture.at(event);
  });
  canvas.addEventListener("dblclick", () => picture.open());
  canvas.addEventListener("keydown", (event) => picture.key(event));
  canvas.addEventListener("focus", () => picture.tell());
  window.addEventListener("resize", () => picture.fit());
  new MutationObserver(() => picture.paint()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
};

if (section) {
  start().catch((problem) => {
    document.getElementById("waiting").textContent = `The picture could not be loaded: ${problem.message}. The tables below tell the same.`;
  });
}
