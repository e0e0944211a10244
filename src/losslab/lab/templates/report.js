// What a reader can do with the page. It is complete without: here is nothing that the page does not hold.
"use strict";

const chips = [...document.querySelectorAll(".legend button")];
const labels = chips.map((chip) => chip.dataset.loss);
const note = document.querySelector(".legend [role=status]");
const tip = document.getElementById("tip");

const heads = [...document.querySelectorAll("thead th")];
const state = { hidden: new Set(), sort: "", descending: false };

// "accuracy, %" is accuracy, "ECE, scaled, %" is ece-scaled, "difference [95 %]" is difference
function keyOf(head) {
  return head.textContent.toLowerCase().replace(/\[.*\]/, "").match(/[\w.]+/g).join("-");
}

function armsOf(element) {
  return [...element.classList].filter((name) => /^loss-\d+$/.test(name)).map((name) => Number(name.slice(5)));
}

// The address keeps the state, as #sort=-accuracy&hide=LOSS&hide=LOSS, so that a view can be sent to somebody.

function read() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const sort = wanted.get("sort") ?? "";
  state.descending = sort.startsWith("-");
  state.sort = sort.replace(/^-/, "");
  state.hidden = new Set(wanted.getAll("hide").map((label) => labels.indexOf(label)).filter((arm) => arm > 0));
  show();
}

function write() {
  const wanted = new URLSearchParams();
  if (state.sort) wanted.set("sort", (state.descending ? "-" : "") + state.sort);
  for (const arm of state.hidden) wanted.append("hide", labels[arm]);
  history.replaceState(null, "", "#" + wanted);
  show();
}

function show() {
  for (const element of document.querySelectorAll('[class*="loss-"]')) {
    element.style.display = armsOf(element).some((arm) => state.hidden.has(arm)) ? "none" : "";
  }
  chips.forEach((chip, arm) => chip.setAttribute("aria-pressed", !state.hidden.has(arm)));
  note.textContent = state.hidden.size ? "Hidden: " + [...state.hidden].map((arm) => labels[arm]).join(", ") + "." : "";
  for (const head of heads) {
    if (keyOf(head) === state.sort) head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  const rank = ranks();
  for (const body of document.querySelectorAll("tbody")) {
    body.append(...[...body.rows].sort((a, b) => rank[armsOf(a)[0]] - rank[armsOf(b)[0]]));
  }
}

// Every table has a row for each loss, and all tables are in the order that one column gives.
function ranks() {
  const head = heads.find((each) => keyOf(each) === state.sort);
  if (!head) return labels.map((_, arm) => arm);
  const rows = [...head.closest("table").tBodies[0].rows].sort((a, b) => armsOf(a)[0] - armsOf(b)[0]);
  const texts = rows.map((row) => row.cells[head.cellIndex].innerText.trim());
  const order = labels.map((_, arm) => arm).sort((a, b) => compare(texts[a], texts[b]));
  return labels.map((_, arm) => order.indexOf(arm));
}

// Numbers before texts, and both before nothing, whatever the direction.
function compare(a, b) {
  const kind = (text) => (text === "" ? 2 : Number.isNaN(parseFloat(text)) ? 1 : 0);
  if (kind(a) !== kind(b)) return kind(a) - kind(b);
  return (state.descending ? -1 : 1) * (kind(a) ? a.localeCompare(b) : parseFloat(a) - parseFloat(b));
}

function toggle(arm) {
  if (!state.hidden.delete(arm)) state.hidden.add(arm);
  write();
}

// Ascending, then descending, then as it was.
function sortBy(key) {
  if (state.sort !== key) Object.assign(state, { sort: key, descending: false });
  else if (!state.descending) state.descending = true;
  else Object.assign(state, { sort: "", descending: false });
  write();
}

// Figures: the values near the pointer, or by arrow keys; the picture and its numbers as files.

function rowsOf(csv) {
  const rows = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\n|$)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

function interactive(figure) {
  const svg = figure.querySelector("svg");
  const { csv, places } = JSON.parse(figure.querySelector("script").textContent);
  const [columns, ...rows] = rowsOf(csv);
  const ring = document.createElementNS(svg.namespaceURI, "circle");
  for (const [name, value] of Object.entries({ r: 5, fill: "none", stroke: "currentColor", class: "ring" })) {
    ring.setAttribute(name, value);
  }
  const visible = () => places.filter(([row]) => !state.hidden.has(labels.indexOf(rows[row][0])));
  let current = 0;

  function point(found, left, top) {
    const near = visible().filter(([, x, y]) => Math.hypot(x - found[1], y - found[2]) < 1);
    tip.replaceChildren(...near.slice(0, 6).map(([row]) => line(columns, rows[row])));
    tip.hidden = false;
    tip.style.left = Math.max(0, Math.min(left + 14, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = (top + 14 + tip.offsetHeight > innerHeight ? top - 14 - tip.offsetHeight : top + 14) + "px";
    ring.setAttribute("cx", found[1]);
    ring.setAttribute("cy", found[2]);
    svg.append(ring);
  }
  function away() {
    tip.hidden = true;
    ring.remove();
  }
  function move(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const far = ([, x, y]) => Math.hypot(x - at.x, y - at.y);
    const nearest = visible().reduce((best, each) => (best && far(best) <= far(each) ? best : each), undefined);
    if (nearest && far(nearest) < 25) point(nearest, event.clientX, event.clientY);
    else away();
  }
  function step(event) {
    if (event.key === "Escape") return away();
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const shown = visible();
    if (!by || !shown.length) return;
    event.preventDefault();
    current = (current + by + shown.length) % shown.length;
    const [, x, y] = shown[current];
    const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    point(shown[current], at.x, at.y);
  }
  svg.tabIndex = 0;
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", away);
  svg.addEventListener("keydown", step);
  svg.addEventListener("blur", away);
  figure.append(downloads(figure.dataset.name, svg, csv));
}

function line(columns, row) {
  const said = columns.slice(1).map((column, i) => [column, row[i + 1]]).filter(([, value]) => value !== "");
  const made = document.createElement("p");
  const label = document.createElement("b");
  label.textContent = row[0];
  made.append(label, ...said.map(([column, value]) => ` · ${column} ${short(value)}`));
  return made;
}

function short(text) {
  return /^-?[\d.]+(e[-+]?\d+)?$/.test(text) ? String(Number(Number(text).toPrecision(4))) : text;
}

function downloads(name, svg, csv) {
  const made = document.createElement("p");
  made.className = "downloads";
  const files = {
    PNG: () => paint(svg, (blob) => save(name + ".png", blob)),
    SVG: () => save(name + ".svg", new Blob([alone(svg)], { type: "image/svg+xml" })),
    CSV: () => save(name + ".csv", new Blob([csv], { type: "text/csv" })),
  };
  made.append("Save as ", ...Object.entries(files).map(([kind, action]) => button(kind, action)));
  return made;
}

function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", action);
  return made;
}

// The picture as it is shown, without what is hidden, dark on white.
function alone(svg) {
  const copy = svg.cloneNode(true);
  for (const element of copy.querySelectorAll(".ring, [style*='display: none']")) element.remove();
  copy.setAttribute("style", "color: #1b1f24; background: white");
  return new XMLSerializer().serializeToString(copy);
}

function paint(svg, done) {
  const { width, height } = svg.viewBox.baseVal;
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  const image = new Image();
  image.addEventListener("load", () => {
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(done);
  });
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(alone(svg));
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(URL.revokeObjectURL, 10_000, link.href); // some browsers begin to read after the click
}

for (const head of heads) {
  const sorts = button("", () => sortBy(keyOf(head)));
  sorts.title = "Sort by " + head.textContent;
  if (!head.querySelector("a")) sorts.append(...head.childNodes);
  head.append(sorts);
}
chips.forEach((chip, arm) => chip.addEventListener("click", () => toggle(arm)));
document.querySelector(".legend").hidden = false;
for (const figure of document.querySelectorAll("figure")) interactive(figure);
addEventListener("hashchange", read);
read();
