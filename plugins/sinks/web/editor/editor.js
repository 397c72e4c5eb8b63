"use strict";
const svg = at("drawing");
const REFRESH_MS = 1000; // between two live images
const DEFAULTS = { anchor: "bottom", in: "right" };
const shapeOf = (id) => state.shapes.find((shape) => shape.id === id);

let image = at("image"); // replaced by each new one
let images = 0;
let info = null; // what the server told: scene, version, labels, size, live
let state = { shapes: [] }; // what is drawn; points are fractions of the image
let past = [], future = []; // earlier and later states, as JSON
let savedAs = ""; // the state in the file, as JSON
let chosen = null; // id of the selected shape
let tool = null; // line, zone or ground while one is drawn
let sketch = []; // points of the shape that is drawn
let cross = [0.5, 0.5]; // cursor of the keyboard
let drag = null; // what the pointer moves
let lastId = 0;

// Scene file <-> shapes

function fractions(points) {
  // As vidan reads them: fractions if no coordinate is above 1, else px.
  if (points.every(([x, y]) => x <= 1 && y <= 1)) return points.map(([x, y]) => [x, y]);
  const [width, height] = info.scene.size ?? size();
  return points.map(([x, y]) => [x / width, y / height]);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function written(points, before) {
  // Unmoved points stay as they are in the file, and px stay px.
  if (before && same(points, fractions(before))) return before;
  if (before && before.some(([x, y]) => x > 1 || y > 1)) {
    const [width, height] = info.scene.size ?? size();
    return points.map(([x, y]) => [Math.round(x * width), Math.round(y * height)]);
  }
  return points.map((point) => point.map((value) => Math.round(value * 1e4) / 1e4));
}

function read(scene) {
  const shapes = [];
  for (const [name, given] of Object.entries(scene.lines ?? {}))
    shapes.push({ id: ++lastId, kind: "line", name, points: fractions([given.from, given.to]), given });
  for (const [name, given] of Object.entries(scene.zones ?? {})) {
    const direction = given.direction ? fractions(given.direction) : null;
    shapes.push({ id: ++lastId, kind: "zone", name, points: fractions(given.polygon), direction, given });
  }
  if (scene.ground) {
    const given = scene.ground;
    shapes.push({ id: ++lastId, kind: "ground", name: say("ground"), points: fractions(given.points), meters: given.meters, given });
  }
  return { shapes };
}

function scene() {
  const lines = {}, zones = {};
  let ground = null;
  for (const shape of state.shapes) {
    const { kind, name, points, given } = shape;
    if (kind === "line") {
      const [from, to] = written(points, given.from && [given.from, given.to]);
      lines[name] = { ...given, from, to };
    } else if (kind === "zone") {
      const zone = { ...given, polygon: written(points, given.polygon) };
      delete zone.direction;
      if (shape.direction) zone.direction = written(shape.direction, given.direction);
      zones[name] = zone;
    } else ground = { points: written(points, given.points), meters: shape.meters };
  }
  return { lines, zones, ...(ground && { ground }) };
}

// States

const frozen = () => JSON.stringify(state);

function remember() {
  past.push(frozen());
  future = [];
}

function change(edit) {
  remember();
  edit();
  render();
}

function changeField(edit) {
  // The form stays: a button that is replaced while it is pressed is never clicked.
  remember();
  edit();
  renderAllButForm();
}

function step(from, to) {
  if (!from.length) return;
  to.push(frozen());
  state = JSON.parse(from.pop());
  if (!shapeOf(chosen)) chosen = null;
  cancelDrawing();
  render();
}

function freeName(base) {
  const names = new Set(state.shapes.map((shape) => shape.name));
  for (let number = 1; ; number++) if (!names.has(`${base}${number}`)) return `${base}${number}`;
}

function remove(id) {
  change(() => {
    state.shapes = state.shapes.filter((shape) => shape.id !== id);
    if (chosen === id) chosen = null;
  });
  at("tool-line").focus();
}

// Drawing a new shape

function start(kind) {
  const again = tool === kind;
  cancelDrawing();
  if (!again) {
    tool = kind;
    chosen = null;
    tell(say({ line: "drawLine", zone: "drawZone", ground: "drawGround" }[kind]));
    svg.focus();
  }
  render();
}

function cancelDrawing() {
  if (tool) tell("");
  tool = null;
  sketch = [];
}

function place(point) {
  sketch.push(point);
  if (tool === "line" && sketch.length === 2) finish();
  else render();
}

function finish() {
  const kind = tool, points = sketch, least = { line: 2, zone: 3, ground: 4 }[kind];
  if (!kind || points.length < least) return;
  cancelDrawing();
  change(() => {
    const shape = { id: ++lastId, kind, name: freeName(kind), points, given: {} };
    if (kind === "zone") shape.direction = null;
    if (kind === "ground") {
      state.shapes = state.shapes.filter((other) => other.kind !== "ground");
      shape.name = say("ground");
      shape.meters = points.map(([x, y]) => [Math.round(x * 100) / 10, Math.round((1 - y) * 200) / 10]);
    }
    state.shapes.push(shape);
    chosen = shape.id;
  });
  document.querySelector("#form input")?.select();
}

// Drawing

const clamp = (value) => Math.min(1, Math.max(0, value));
const size = () => [image.naturalWidth || 16, image.naturalHeight || 9];

function located(event) {
  const box = svg.getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

function pixels(points) {
  const [width, height] = size();
  return points.map(([x, y]) => [x * width, y * height]);
}

function path(points, closed) {
  return `M${pixels(points).map((point) => point.join(" ")).join("L")}${closed ? "Z" : ""}`;
}

function arrow([x1, y1], [x2, y2], parent) {
  const angle = Math.atan2(y2 - y1, x2 - x1), length = Math.hypot(x2 - x1, y2 - y1) * 0.3;
  const tip = (turn) => `M${x2} ${y2}L${x2 - length * Math.cos(angle + turn)} ${y2 - length * Math.sin(angle + turn)}`;
  const d = `M${x1} ${y1}L${x2} ${y2}${tip(0.5)}${tip(-0.5)}`;
  drawn(parent, "path", { class: "halo", d });
  drawn(parent, "path", { class: "arrow", d });
}

function inArrow(shape, parent) {
  const [[x1, y1], [x2, y2]] = pixels(shape.points), [width] = size();
  const long = Math.hypot(x2 - x1, y2 - y1) || 1, reach = Math.min(long / 2, width / 14);
  const sign = (shape.given.in ?? DEFAULTS.in) === "right" ? 1 : -1;
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  arrow([x, y], [x - sign * (y2 - y1) / long * reach, y + sign * (x2 - x1) / long * reach], parent);
}

function handle(shape, list, number, label, kind = "handle") {
  const [[x, y]] = pixels([list[number]]);
  const radius = (matchMedia("(pointer: coarse)").matches ? 13 : 7) * size()[0] / (svg.clientWidth || 1);
  const name = say("point", { name: label, number: number + 1, x: Math.round(x), y: Math.round(y) });
  const circle = drawn(svg, "circle", { class: kind, cx: x, cy: y, r: radius, tabindex: 0, role: "button", "aria-label": name });
  circle.dataset.key = `${shape.id}/${label}/${number}`;
  circle.onpointerdown = (event) => begin(event, shape, list, number);
  circle.onkeydown = (event) => handleKey(event, shape, list, number);
  circle.onfocus = () => chosen !== shape.id && choose(shape.id, circle.dataset.key);
}

function between(shape, number) {
  const a = shape.points[number], b = shape.points[(number + 1) % shape.points.length];
  const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], [[x, y]] = pixels([middle]);
  const radius = 5 * size()[0] / (svg.clientWidth || 1);
  const name = say("pointNew", { name: shape.name, number: number + 1 });
  const circle = drawn(svg, "circle", { class: "between", cx: x, cy: y, r: radius, tabindex: 0, role: "button", "aria-label": name });
  const add = () => {
    remember();
    const own = shapeOf(shape.id);
    own.points.splice(number + 1, 0, middle);
    return own;
  };
  circle.onpointerdown = (event) => {
    const own = add();
    begin(event, own, own.points, number + 1, false);
    render();
  };
  circle.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    add();
    render();
    svg.querySelector(`[data-key="${CSS.escape(`${shape.id}/${shape.name}/${number + 1}`)}"]`)?.focus();
  };
}

function renderDrawing() {
  const focused = document.activeElement?.dataset?.key;
  const [width, height] = size();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.classList.toggle("draws", tool !== null);
  svg.replaceChildren();
  for (const shape of state.shapes) {
    const closed = shape.kind !== "line", d = path(shape.points, closed);
    const kind = { line: "", zone: "zone", ground: "plane" }[shape.kind];
    drawn(svg, "path", { class: "halo", d });
    drawn(svg, "path", { class: `shape ${kind} ${shape.id === chosen ? "chosen" : ""}`, d }).onpointerdown = (e) => pick(e, shape);
    if (!closed) drawn(svg, "path", { class: "hit", d }).onpointerdown = (e) => pick(e, shape);
    if (!closed) inArrow(shape, svg);
    if (shape.direction) arrow(...pixels(shape.direction), svg);
    const [[x, y]] = pixels(shape.points);
    drawn(svg, "text", { class: "caption", x, y: y - height / 60, "font-size": 15 * width / (svg.clientWidth || width) }, shape.name);
  }
  for (const shape of state.shapes) {
    if (tool) break;
    shape.points.forEach((_, number) => handle(shape, shape.points, number, shape.name));
    if (shape.direction) shape.direction.forEach((_, number) => handle(shape, shape.direction, number, say("direction")));
    if (shape.kind === "zone" && shape.id === chosen) shape.points.forEach((_, number) => between(shape, number));
  }
  if (tool) {
    if (sketch.length > 1) drawn(svg, "path", { class: "shape", d: path(sketch, false) });
    for (const [x, y] of pixels(sketch)) drawn(svg, "circle", { class: "handle", cx: x, cy: y, r: 6 * width / (svg.clientWidth || 1) });
    const [[x, y]] = pixels([cross]), arm = width / 40;
    drawn(svg, "path", { class: "cross", d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}` });
  }
  if (focused) svg.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

// Pointer and keyboard

function pick(event, shape) {
  if (tool) return;
  choose(shape.id);
  begin(event, shape, shape.points, null);
}

function begin(event, shape, list, number, save = true) {
  if (tool) return;
  event.preventDefault();
  event.stopPropagation();
  const key = list === shape.direction ? "direction" : "points";
  drag = { id: shape.id, key, number, last: located(event), saved: !save };
  chosen = shape.id;
  svg.setPointerCapture(event.pointerId);
}

svg.onpointermove = (event) => {
  if (tool && event.pointerType !== "touch") {
    cross = located(event);
    renderDrawing();
  }
  if (!drag) return;
  const now = located(event), shape = shapeOf(drag.id);
  if (!drag.saved) {
    remember();
    drag.saved = true;
  }
  if (drag.number === null) {
    const lists = [shape.points, ...(shape.direction ? [shape.direction] : [])];
    const [dx, dy] = [now[0] - drag.last[0], now[1] - drag.last[1]];
    if (lists.flat().every(([x, y]) => clamp(x + dx) === x + dx && clamp(y + dy) === y + dy))
      for (const list of lists) list.forEach((point, n) => (list[n] = [point[0] + dx, point[1] + dy]));
  } else shape[drag.key][drag.number] = now;
  drag.last = now;
  render();
};

svg.onpointerup = svg.onpointercancel = () => {
  if (drag) render();
  drag = null;
};

svg.onclick = (event) => {
  if (!tool) return;
  const point = located(event), box = svg.getBoundingClientRect();
  if (sketch.length > 2) {
    const [x, y] = sketch[0];
    if (Math.hypot((x - point[0]) * box.width, (y - point[1]) * box.height) < 14) return finish();
  }
  place(point);
};

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function moved([x, y], event) {
  const [dx, dy] = MOVES[event.key], [width, height] = size(), far = event.shiftKey ? 10 : 1;
  return [clamp(x + dx * far / width), clamp(y + dy * far / height)];
}

function handleKey(event, shape, list, number) {
  const key = list === shape.direction ? "direction" : "points";
  if (event.key in MOVES) {
    event.preventDefault();
    event.stopPropagation();
    change(() => (shapeOf(shape.id)[key][number] = moved(list[number], event)));
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    event.stopPropagation();
    if (key === "points" && shape.kind === "zone" && list.length > 3) change(() => shapeOf(shape.id).points.splice(number, 1));
    else remove(shape.id);
  }
}

svg.onkeydown = (event) => {
  if (!tool) return;
  if (event.key in MOVES) {
    cross = moved(cross, { key: event.key, shiftKey: !event.shiftKey }); // fast unless Shift is held
    renderDrawing();
  } else if (event.key === " ") place(cross);
  else if (event.key === "Enter") finish();
  else if (event.key === "Backspace") {
    sketch.pop();
    renderDrawing();
  } else return;
  event.preventDefault();
};

document.onkeydown = (event) => {
  const typing = event.target.matches?.("input, select");
  const control = event.ctrlKey || event.metaKey;
  if (event.key === "Escape" && tool) {
    cancelDrawing();
    render();
  } else if (control && event.key.toLowerCase() === "s") save();
  else if (control && !typing && event.key.toLowerCase() === "z") event.shiftKey ? step(future, past) : step(past, future);
  else if (control && !typing && event.key.toLowerCase() === "y") step(future, past);
  else if (event.key === "Delete" && !typing && chosen) remove(chosen);
  else return;
  event.preventDefault();
};

// List and form

function choose(id, focus = null) {
  chosen = id;
  render();
  if (focus) svg.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
}

function renderList() {
  const list = at("shapes"), ids = state.shapes.map((shape) => String(shape.id));
  // Entries are kept where possible: one that is replaced while it is pressed is never clicked.
  if (!same(ids, [...list.children].map((entry) => entry.dataset.id))) {
    list.replaceChildren(...state.shapes.map(entryOf));
    if (!ids.length) list.append(element("li", { textContent: say("empty") }));
  }
  state.shapes.forEach((shape, number) => {
    const button = list.children[number].firstChild;
    button.firstChild.textContent = shape.name;
    button.setAttribute("aria-pressed", shape.id === chosen);
  });
}

function entryOf({ id, kind }) {
  const button = element("button", { type: "button" }, element("span"), element("small", {}, say(kind)));
  button.onclick = () => choose(id === chosen ? null : id);
  const entry = element("li", {}, button);
  entry.dataset.id = id;
  return entry;
}

function field(text, input) {
  return element("label", {}, text, input);
}

function set(shape, key, value) {
  changeField(() => {
    const own = shapeOf(shape.id);
    if (value === null || value === undefined) delete own.given[key];
    else own.given[key] = value;
  });
}

function options(pairs, value) {
  return element("select", {}, ...pairs.map(([key, text]) => element("option", { value: key, textContent: text, selected: key === value })));
}

function nameField(shape) {
  const input = element("input", { value: shape.name, maxLength: 64, required: true });
  input.onchange = () => {
    const name = input.value.trim();
    const taken = state.shapes.some((other) => other.id !== shape.id && other.kind !== "ground" && other.name === name);
    if (!name || taken) {
      tell(name ? say("nameTaken", { name }) : say("nameWrong"), true);
      input.value = shape.name;
    } else changeField(() => (shapeOf(shape.id).name = name));
  };
  return field(say("name"), input);
}

function labelsField(shape) {
  const has = new Set(shape.given.labels ?? []), known = [...new Set([...info.labels, ...has])];
  if (!info.labels.length) {
    const input = element("input", { value: [...has].join(", "), placeholder: say("anyLabel") });
    input.onchange = () => {
      const labels = input.value.split(",").map((label) => label.trim()).filter(Boolean);
      set(shape, "labels", labels.length ? labels : null);
    };
    return field(say("labels"), input);
  }
  const boxes = known.map((label) => {
    const box = element("input", { type: "checkbox", checked: !has.size || has.has(label) });
    box.onchange = () => {
      const picked = known.filter((_, n) => boxes[n].checked);
      set(shape, "labels", picked.length && picked.length < known.length ? picked : null);
    };
    return box;
  });
  return element("fieldset", {}, element("legend", { textContent: say("labels") }), ...known.map((label, n) => element("label", {}, boxes[n], label)));
}

function anchorField(shape) {
  const select = options([["bottom", say("anchorBottom")], ["center", say("anchorCenter")], ["top", say("anchorTop")]], shape.given.anchor ?? DEFAULTS.anchor);
  select.onchange = () => set(shape, "anchor", select.value === DEFAULTS.anchor && !("anchor" in shape.given) ? null : select.value);
  return field(say("anchor"), select);
}

function sideField(shape) {
  const select = options([["right", say("insideRight")], ["left", say("insideLeft")]], shape.given.in ?? DEFAULTS.in);
  select.onchange = () => set(shape, "in", select.value);
  return field(say("inside"), select);
}

function loiterField(shape) {
  const now = shape.given.loiter ?? "";
  const text = typeof now === "object" ? Object.entries(now).map((pair) => pair.join("=")).join(", ") : now;
  const input = element("input", { value: text });
  input.onchange = () => {
    const given = input.value.trim();
    if (!given) return set(shape, "loiter", null);
    if (!given.includes("=")) return set(shape, "loiter", Number(given));
    set(shape, "loiter", Object.fromEntries(given.split(",").map((part) => part.split("=")).map(([label, seconds]) => [label.trim(), Number(seconds)])));
  };
  return field(say("loiter"), input);
}

function crowdFields(shape) {
  const crowd = shape.given.crowd ?? {};
  const more = element("input", { type: "number", min: 0, step: 1, value: crowd.more_than ?? "" });
  const after = element("input", { type: "number", min: 0, step: "any", value: crowd.for ?? 10 });
  const edit = () => set(shape, "crowd", more.value === "" ? null : { more_than: Number(more.value), for: Number(after.value) });
  more.onchange = edit;
  after.onchange = () => more.value !== "" && edit();
  return [field(say("crowdMore"), more), field(say("crowdFor"), after)];
}

function directionButton(shape) {
  const button = element("button", { type: "button", textContent: say(shape.direction ? "directionRemove" : "directionAdd") });
  button.onclick = () => change(() => {
    const own = shapeOf(shape.id), [x, y] = [0, 1].map((axis) => own.points.reduce((sum, point) => sum + point[axis], 0) / own.points.length);
    own.direction = own.direction ? null : [[x, y], [clamp(x + 0.1), y]];
  });
  return button;
}

function metersFields(shape) {
  const rows = shape.points.map((_, number) => {
    const pair = [0, 1].map((axis) => {
      const input = element("input", { type: "number", step: "any", value: shape.meters[number][axis] });
      input.setAttribute("aria-label", say("meters", { number: number + 1 }));
      input.onchange = () => changeField(() => (shapeOf(shape.id).meters[number][axis] = Number(input.value)));
      return input;
    });
    return element("label", {}, String(number + 1), ...pair);
  });
  return element("fieldset", {}, element("legend", { textContent: say("groundHelp") }), ...rows);
}

function renderForm() {
  const form = at("form"), shape = shapeOf(chosen);
  form.hidden = !shape;
  if (!shape) return form.replaceChildren();
  const fields = {
    line: () => [nameField(shape), sideField(shape), labelsField(shape), anchorField(shape)],
    zone: () => [nameField(shape), labelsField(shape), anchorField(shape), loiterField(shape), ...crowdFields(shape), directionButton(shape)],
    ground: () => [metersFields(shape)],
  }[shape.kind]();
  const button = element("button", { type: "button", textContent: say("delete") });
  button.onclick = () => remove(shape.id);
  form.replaceChildren(...fields, button);
}

at("form").onsubmit = (event) => event.preventDefault();

function render() {
  renderAllButForm();
  if (!drag) renderForm();
}

function renderAllButForm() {
  renderDrawing();
  if (drag) return;
  renderList();
  for (const kind of ["line", "zone", "ground"]) at(`tool-${kind}`).setAttribute("aria-pressed", tool === kind);
  at("undo").disabled = !past.length;
  at("redo").disabled = !future.length;
  at("save").disabled = !dirty();
}

function tell(text, bad = false) {
  at("message").textContent = text;
  at("message").className = bad ? "bad" : "";
}

// Server

const dirty = () => info !== null && frozen() !== savedAs;

async function load() {
  const fresh = await ask("scene.json");
  info = fresh;
  state = read(info.scene);
  savedAs = frozen();
  chosen = null;
  at("file").textContent = info.file;
  document.title = `${info.file} · ${say("title")}`;
  at("back").hidden = at("still").hidden = !info.live;
  at("next").hidden = info.live;
  render();
}

async function save(version = info.version) {
  if (!dirty()) return;
  const sent = frozen(), body = JSON.stringify(scene());
  try {
    const answer = await ask("scene.json", { method: "PUT", body, headers: { "Content-Type": "application/json", "If-Match": `"${version}"` } });
    info.version = answer.version;
    savedAs = sent;
    tell(info.live ? say("live") : say("saved", { file: info.file }));
    render();
  } catch (error) {
    if (error.status === 409) at("conflict").showModal();
    else tell(say("failed", { why: error.message }), true);
  }
}

at("save").onclick = () => save();
at("cancel").onclick = () => at("conflict").close();
at("load").onclick = async () => {
  at("conflict").close();
  const mine = frozen();
  await load();
  past.push(mine);
  future = [];
  render();
};
at("overwrite").onclick = async () => {
  at("conflict").close();
  await save((await ask("scene.json")).version);
};
at("undo").onclick = () => step(past, future);
at("redo").onclick = () => step(future, past);
for (const kind of ["line", "zone", "ground"]) at(`tool-${kind}`).onclick = () => start(kind);
at("next").onclick = async () => {
  const { moved } = await ask("frame/next", { method: "POST" });
  if (moved) await refresh();
  else tell(say("noNext"));
};
at("still").onclick = () => at("still").setAttribute("aria-pressed", at("still").getAttribute("aria-pressed") !== "true");
onbeforeunload = (event) => dirty() && event.preventDefault();
onresize = () => info && renderDrawing();

async function refresh() {
  try {
    image = await swapped(image, { id: "image", src: `frame.jpg?${++images}` });
  } catch {
    await ask("frame.jpg"); // throws what is wrong
    return;
  }
  if (info && !drag) renderDrawing();
}

async function follow() {
  const wanted = !document.hidden && at("still").getAttribute("aria-pressed") !== "true";
  try {
    if (!image.naturalWidth || (wanted && info.live)) await refresh();
    if (!info) await load();
  } catch (error) {
    if (!info) tell(say("imageFailed", { why: error.message }), true);
  }
  setTimeout(follow, REFRESH_MS);
}

follow();
