"use strict";

// Tables: a button in each head sorts by its column; numbers by the first number in the cell, words as words.
const said = document.getElementById("said");

function key(cell) {
  const text = cell.textContent.trim();
  const number = text.match(/^[+−-]?\d+(\.\d+)?/);
  return number ? Number(number[0].replace("−", "-")) : text;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // What isn't a number comes after what is.
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return a.localeCompare(b);
}

for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const table = head.closest("table");
    const column = head.cellIndex;
    const rising = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row.cells[column]), row]);
    rows.sort(([a], [b]) => {
      // Missing values stay at the end either way.
      if (typeof a !== typeof b) return compare(a, b);
      return rising ? compare(a, b) : compare(b, a);
    });
    body.append(...rows.map(([, row]) => row));
    said.textContent = `Sorted by ${button.textContent}, ${rising ? "ascending" : "descending"}`;
  });
}

// The gallery: grey maps, coloured here, over the image.
const source = document.getElementById("data");
if (source) gallery(JSON.parse(source.textContent));

function gallery({ colors, metrics, plates }) {
  const at = (id) => document.getElementById(id);
  const viridis = (level) => [0, 2, 4].map((place) => parseInt(colors.substr(6 * level + place, 2), 16));
  const RED = [178, 24, 43];
  const BLUE = [33, 102, 172];
  const samples = [...new Set(plates.map((plate) => `${plate.sample}, class ${plate.class}`))];
  const name = (plate) => `${plate.sample}, class ${plate.class}`;
  let current = 0;
  let chosen = null;

  function picture(source) {
    return new Promise((done, failed) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => failed(new Error("a picture of the page can't be read"));
      image.src = source;
    });
  }

  async function pixels(source, [width, height]) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(await picture(source), 0, 0);
    return context.getImageData(0, 0, width, height).data;
  }

  // The colour of a level over a grey ground. The share of a signed map's colour rises with its strength.
  function blend(level, grey, signed, opacity) {
    if (!signed) return viridis(level).map((channel) => opacity * channel + (1 - opacity) * grey);
    const value = Math.max(-1, (level - 128) / 127);
    const ground = opacity * 247 + (1 - opacity) * grey;
    const share = Math.sqrt(Math.abs(value)) * Math.min(1, 1.5 * opacity);
    return (value > 0 ? RED : BLUE).map((channel) => share * channel + (1 - share) * ground);
  }

  // Light inside the border of the mask, dark outside.
  function outline(data, mask, [width, height]) {
    if (!mask) return;
    const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && mask[4 * (y * width + x)] > 127;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const own = inside(x, y);
        const border = inside(x - 1, y) !== own || inside(x + 1, y) !== own || inside(x, y - 1) !== own || inside(x, y + 1) !== own;
        if (border) data.fill(own ? 255 : 0, 4 * (y * width + x), 4 * (y * width + x) + 3);
      }
    }
  }

  function draw(canvas, image, map, mask, tile, size) {
    const [width, height] = size;
    [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    const result = context.createImageData(width, height);
    const opacity = Number(at("opacity").value) / 100;
    for (let place = 0; place < image.length; place += 4) {
      const [r, g, b] = [image[place], image[place + 1], image[place + 2]];
      const grey = 0.299 * r + 0.587 * g + 0.114 * b;
      let color = [r, g, b];
      if (tile) {
        const striped = ((place / 4) % width + Math.floor(place / 4 / width)) % 12 < 2;
        color = map ? blend(map[place], grey, tile.signed, opacity) : Array(3).fill(0.4 * grey + (striped ? 60 : 150));
      }
      result.data.set([...color.map(Math.round), 255], place);
    }
    outline(result.data, mask, size);
    context.putImageData(result, 0, 0);
    if (tile && tile.point) {
      const [x, y] = tile.point;
      for (const [color, line] of [["#000", 3], ["#fff", 1]]) {
        [context.strokeStyle, context.lineWidth] = [color, line];
        context.beginPath();
        context.moveTo(x - 6, y + 0.5); context.lineTo(x + 7, y + 0.5);
        context.moveTo(x + 0.5, y - 6); context.lineTo(x + 0.5, y + 7);
        context.stroke();
      }
    }
  }

  function element(name, content, attributes = {}) {
    const made = document.createElement(name);
    if (content !== undefined) made.textContent = content;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function figure(label, scores, canvas) {
    const made = element("figure");
    const list = element("dl");
    for (const [metric, value] of scores) list.append(element("dt", metric), element("dd", value));
    const caption = element("figcaption");
    caption.append(element("strong", label), list);
    made.append(canvas, caption);
    return made;
  }

  function svg(name, attributes, content) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.textContent = content;
    return made;
  }

  function curves(plate) {
    at("curves").replaceChildren();
    for (const [id, title, across, up] of metrics) {
      const lines = plate.tiles.filter((tile) => tile.curves[id]);
      if (lines.length === 0) continue;
      const [left, top, wide, tall] = [40, 8, 300, 170];
      const chart = svg("svg", { viewBox: "0 0 352 222", role: "img", "aria-label": `${title}, curve of each row` });
      const high = Math.max(...lines.flatMap((tile) => tile.curves[id]), 1e-9);
      for (let tick = 0; tick <= 4; tick++) {
        const y = top + tall - (tick / 4) * tall;
        const x = left + (tick / 4) * wide;
        chart.append(svg("path", { class: "frame", d: `M${left} ${y}h${wide}M${x} ${top}v${tall}` }));
        chart.append(svg("text", { x: left - 4, y: y + 4, "text-anchor": "end" }, ((high * tick) / 4).toFixed(2)));
        chart.append(svg("text", { x, y: top + tall + 14, "text-anchor": "middle" }, String(tick / 4)));
      }
      chart.append(svg("text", { x: left + wide / 2, y: top + tall + 32, "text-anchor": "middle" }, across));
      chart.append(svg("text", { x: 10, y: top + tall / 2, "text-anchor": "middle", transform: `rotate(-90 10 ${top + tall / 2})` }, up));
      const order = [...lines].sort((a, b) => (a.label === chosen) - (b.label === chosen));
      for (const tile of order) {
        const points = tile.curves[id].map((value, place, all) =>
          `${left + (place / Math.max(1, all.length - 1)) * wide},${top + tall - (value / high) * tall}`);
        const faded = chosen && tile.label !== chosen;
        const line = svg("polyline", {
          points: points.join(" "), fill: "none", stroke: tile.color,
          "stroke-width": tile.label === chosen ? 3 : 1.5, "stroke-opacity": faded ? 0.35 : 1,
        });
        line.append(svg("title", {}, tile.label));
        chart.append(line);
      }
      const made = element("figure");
      made.append(element("figcaption", title), chart);
      at("curves").append(made);
    }
  }

  function legend(plate) {
    const made = [];
    const bar = (paint) => {
      const canvas = element("canvas", undefined, { "aria-hidden": "true" });
      [canvas.width, canvas.height] = [256, 1];
      const context = canvas.getContext("2d");
      const row = context.createImageData(256, 1);
      for (let level = 0; level < 256; level++) row.data.set([...paint(level).map(Math.round), 255], 4 * level);
      context.putImageData(row, 0, 0);
      return canvas;
    };
    if (plate.tiles.some((tile) => tile.map && !tile.signed)) {
      const entry = element("span", "saliency 0");
      entry.append(bar(viridis), "1");
      made.push(entry);
    }
    if (plate.tiles.some((tile) => tile.map && tile.signed)) {
      const entry = element("span", "against the class");
      entry.append(bar((level) => blend(level, 247, true, 1)), "for it");
      made.push(entry);
    }
    at("legend").replaceChildren(...made);
  }

  let drawing = 0;
  async function show() {
    const plate = plates[current];
    const turn = ++drawing;
    at("sample").value = String(samples.indexOf(name(plate)));
    at("model").replaceChildren(...plates.filter((other) => name(other) === name(plate)).map((other) =>
      element("option", other.model, { value: plates.indexOf(other) })));
    at("model").value = String(current);
    at("plate-title").textContent = `${name(plate)}, ${plate.model} (${current + 1} of ${plates.length})`;
    legend(plate);
    curves(plate);
    const image = await pixels(plate.image, plate.size);
    const mask = plate.mask ? await pixels(plate.mask, plate.size) : null;
    const first = element("canvas", undefined, { role: "img", "aria-label": "the image" });
    draw(first, image, null, mask, null, plate.size);
    const made = [figure("Image", [], first)];
    for (const tile of plate.tiles) {
      const map = tile.map ? await pixels(tile.map, plate.size) : null;
      const canvas = element("canvas", undefined, { role: "img", "aria-label": `${tile.label} over the image` });
      draw(canvas, image, map, mask, tile, plate.size);
      const one = figure(tile.map ? tile.label : `${tile.label} (${tile.state} map)`, tile.scores, canvas);
      const button = element("button", undefined, { type: "button", "aria-pressed": String(tile.label === chosen) });
      button.append(...one.childNodes);
      button.querySelector("strong").style.borderBottom = `3px solid ${tile.color}`;
      one.append(button);
      one.classList.toggle("chosen", tile.label === chosen);
      button.addEventListener("click", () => {
        chosen = tile.label === chosen ? null : tile.label;
        for (const other of at("tiles").querySelectorAll("figure")) {
          const pressed = other.querySelector("strong").dataset.label === chosen;
          other.classList.toggle("chosen", pressed);
          other.querySelector("button")?.setAttribute("aria-pressed", String(pressed));
        }
        curves(plate);
      });
      one.querySelector("strong").dataset.label = tile.label;
      made.push(one);
    }
    // Somebody may have gone on meanwhile.
    if (turn === drawing) at("tiles").replaceChildren(...made);
  }

  function go(place) {
    current = (place + plates.length) % plates.length;
    history.replaceState(null, "", `#plate-${current + 1}`);
    show();
  }

  function linked() {
    const place = /^#plate-(\d+)$/.exec(location.hash);
    if (!place || !plates[Number(place[1]) - 1]) return false;
    current = Number(place[1]) - 1;
    return true;
  }

  at("sample").append(...samples.map((sample, place) => element("option", sample, { value: place })));
  at("previous").addEventListener("click", () => go(current - 1));
  at("next").addEventListener("click", () => go(current + 1));
  at("sample").addEventListener("change", (event) => {
    const sample = samples[Number(event.target.value)];
    const same = plates.findIndex((plate) => name(plate) === sample && plate.model === plates[current].model);
    go(same >= 0 ? same : plates.findIndex((plate) => name(plate) === sample));
  });
  at("model").addEventListener("change", (event) => go(Number(event.target.value)));
  at("opacity").addEventListener("input", () => {
    at("share").textContent = `${at("opacity").value} %`;
    show();
  });
  document.addEventListener("keydown", (event) => {
    // Arrow keys belong to fields and to boxes that scroll while these have the focus.
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("select, input, .scroll, pre")) return;
    if (event.key === "ArrowLeft") go(current - 1);
    if (event.key === "ArrowRight") go(current + 1);
  });
  window.addEventListener("hashchange", () => { if (linked()) show(); });
  if (linked()) at("gallery").scrollIntoView();
  show();
}
