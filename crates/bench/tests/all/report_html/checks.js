// What report.html must do in a browser. Runs in the page; tells the page around it what isn't so, or nothing.
const trouble = [];
addEventListener("error", (event) => trouble.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => trouble.push(`rejection: ${event.reason}`));
console.error = (...words) => trouble.push(`console: ${words.join(" ")}`);
const expect = (what, good) => { if (!good) trouble.push(what); };
const until = async (what, good) => {
  for (let turn = 0; turn < 1500; turn++) {
    if (good()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  trouble.push(`never: ${what}`);
};
addEventListener("load", async () => {
  try {
    await checks();
  } catch (error) {
    trouble.push(`${error.stack}`);
  }
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  parent.postMessage(JSON.stringify({ trouble, width: innerWidth, scheme }), "*");
});

async function checks() {
  const title = () => document.getElementById("plate-title").textContent;
  const tiles = () => document.querySelectorAll("#tiles figure");
  await until("five tiles", () => tiles().length === 5);
  expect("no horizontal scrolling of the page", document.scrollingElement.scrollWidth <= innerWidth);

  const table = document.querySelector("table");
  const column = () => [...table.tBodies[0].rows].map((row) => parseFloat(row.cells[1].textContent));
  const before = column().join();
  const button = table.tHead.rows[0].cells[1].querySelector("button");
  button.focus();
  expect("a head can have the focus", document.activeElement === button);
  const sorted = [...column()].sort((a, b) => a - b);
  expect("the table isn't sorted yet", before !== sorted.join());
  button.click();
  expect("ascending", column().join() === sorted.join());
  expect("aria-sort ascending", button.parentElement.ariaSort === "ascending");
  button.click();
  expect("descending", column().join() === sorted.reverse().join());
  expect("aria-sort descending", button.parentElement.ariaSort === "descending");
  expect("sorting is announced", document.getElementById("said").textContent.includes("descending"));

  const key = (name) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  expect("the first plate", title().includes("(1 of 6)") && title().includes("<\/script>"));
  key("ArrowRight");
  await until("the second plate", () => title().includes("(2 of 6)"));
  expect("its address", location.hash === "#plate-2");
  key("ArrowLeft"); key("ArrowLeft");
  await until("the last plate", () => title().includes("(6 of 6)"));
  location.hash = "#plate-3";
  await until("a plate by its address", () => title().includes("(3 of 6)"));
  document.getElementById("next").click();
  await until("next by the button", () => title().includes("(4 of 6)"));
  const model = document.getElementById("model");
  model.value = model.options[0].value;
  model.dispatchEvent(new Event("change"));
  await until("another model of the sample", () => title().includes("(3 of 6)") && title().includes(", A"));

  await until("five tiles again", () => tiles().length === 5);
  const pixel = () => [...tiles()[1].querySelector("canvas").getContext("2d").getImageData(1, 1, 1, 1).data].join();
  const shown = pixel();
  const opacity = document.getElementById("opacity");
  opacity.value = 100;
  opacity.dispatchEvent(new Event("input"));
  await until("another colour at full opacity", () => pixel() !== shown);
  // Level 22 of 255: row 1, column 1 of 192 values. At full opacity it is the colour map's own colour.
  expect(`viridis at full opacity, ${pixel()}`, pixel() === document.documentElement.dataset.viridis);
  expect("a degenerate map is named", tiles()[4].textContent.includes("all-zero"));
  tiles()[1].querySelector("button").click();
  expect("a tile can be chosen", tiles()[1].querySelector("button").ariaPressed === "true");
  expect("and its curve with it", [...document.querySelectorAll("#curves polyline")].some((line) => line.getAttribute("stroke-width") === "3"));
  expect("curves of both metrics", document.querySelectorAll("#curves svg").length === 2);
  expect("every button has a name", [...document.querySelectorAll("button")].every((button) => button.textContent.trim()));

  // Contrast of text and ground, whatever the scheme.
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\d.]+/g).map((channel) => {
      const value = Number(channel) / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(document.body);
  const [text, ground] = [style.color, style.backgroundColor].map(luminance);
  expect("contrast", (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05) > 7);
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  expect("the ground follows the scheme", (ground < 0.2) === (scheme === "dark"));
}
