"use strict";
const REFRESH_MS = 5000;
const BINS = 48;
const SPANS = [["hour", 3600], ["today", 0], ["week", 7 * 86400], ["month", 30 * 86400], ["all", null]];
const HEIGHT = 176, FLOOR = HEIGHT - 20, TOP = 16; // of a chart, px
const heat = heatMap("heatHistory", true, () => at("label").value);
let dated = true, events = [], videos = [], colors = new Map();

function moment(seconds, long = false) {
  if (!dated) return clock(seconds);
  const date = new Date(seconds * 1000), today = new Date().toDateString() === date.toDateString();
  const options = { hour: "2-digit", minute: "2-digit", ...(long && { second: "2-digit" }), ...(!today && { month: "short", day: "numeric" }) };
  return date.toLocaleString(undefined, options);
}

const color = (name) => {
  if (!colors.has(name)) colors.set(name, `c${colors.size % 6}`);
  return colors.get(name);
};

function frame(figure, answer, top, title) {
  figure.replaceChildren();
  // As wide as it is shown, so that its text is not squeezed.
  const width = figure.clientWidth || 640;
  const svg = drawn(figure, "svg", { viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": title });
  for (const part of [0, 0.5, 1]) {
    const y = FLOOR - (FLOOR - TOP) * part;
    drawn(svg, "line", { x1: 0, x2: width, y1: y, y2: y });
  }
  drawn(svg, "text", { x: 0, y: 11 }, String(Math.round(top * 10) / 10));
  drawn(svg, "text", { x: 0, y: HEIGHT - 4 }, moment(answer.begin));
  drawn(svg, "text", { x: width, y: HEIGHT - 4, "text-anchor": "end" }, moment(answer.begin + answer.step * answer.bins));
  return [svg, width / answer.bins];
}

function key(figure, names) {
  const list = element("ul", { className: "key" });
  for (const name of names) list.append(element("li", { className: color(name) }, element("span", { textContent: name })));
  figure.append(list);
}

function nothing(figure) {
  figure.replaceChildren(element("p", { textContent: say("nothingHere") }));
}

function bars(figure, answer, series, title) {
  // Stacked, one color for each series.
  if (!series.length) return nothing(figure);
  const sums = Array.from({ length: answer.bins }, (_, bin) => series.reduce((sum, one) => sum + one.counts[bin], 0));
  const top = Math.max(1, ...sums), [svg, wide] = frame(figure, answer, top, title);
  const levels = new Array(answer.bins).fill(0);
  for (const one of series)
    one.counts.forEach((count, bin) => {
      if (!count) return;
      const height = (FLOOR - TOP) * count / top, y = FLOOR - (FLOOR - TOP) * levels[bin] / top - height;
      drawn(svg, "rect", { class: color(one.name), x: bin * wide + 0.5, y, width: Math.max(1, wide - 1), height });
      levels[bin] += count;
    });
  key(figure, series.map((one) => one.name));
}

function curve(svg, values, top, wide, style) {
  let points = [];
  const end = () => {
    if (points.length === 1) points.push([points[0][0] + wide, points[0][1]]);
    if (points.length) drawn(svg, "polyline", { class: style, points: points.map((point) => point.join(",")).join(" ") });
    points = [];
  };
  values.forEach((value, bin) => (value === null ? end() : points.push([(bin + 0.5) * wide, FLOOR - (FLOOR - TOP) * value / top])));
  end();
}

function curves(figure, answer, series, title, withPeaks = false) {
  // The mean of each series, and its maximum in dashes.
  if (!series.length) return nothing(figure);
  const top = Math.max(1, ...series.flatMap((one) => one.peak)), [svg, wide] = frame(figure, answer, top, title);
  for (const one of series) {
    if (withPeaks) curve(svg, one.peak, top, wide, `${color(one.name)} peak`);
    curve(svg, one.mean, top, wide, color(one.name));
  }
  key(figure, series.map((one) => one.name));
}

function table(id, heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col", textContent: text })));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", { textContent: cell }))));
  at(id).replaceChildren(...(rows.length ? [element("thead", {}, head), element("tbody", {}, ...body)] : []));
}

const listed = (labels) => Object.entries(labels).map(([label, count]) => `${label || "–"} ${count}`).join(", ");
const seconds = (value) => (value === null ? "–" : lasting(value));

// Number of the recording that is shown.
const recording = () => Number(at("video").getAttribute("src").slice("video/".length));

function play(event) {
  // The last recording that begins before the event; a second of it is shown first.
  const number = Math.max(0, videos.findLastIndex((start) => start <= event.stream_time));
  const video = at("video");
  if (recording() !== number) video.src = `video/${number}`;
  video.currentTime = Math.max(0, event.stream_time - videos[number] - 1);
  video.play().catch(() => {});
  video.scrollIntoView({ block: "nearest" });
}

function show(answer) {
  dated = answer.dated;
  if (answer.videos.length && at("recording").hidden) {
    videos = answer.videos;
    at("recording").hidden = false;
    at("video").src = "video/0";
    fullScreen(at("full"), at("stage"));
    if (answer.overlay.length) overlay(answer.overlay, () => videos[recording()]);
  }
  at("back").hidden = videos.length > 0 || location.pathname.endsWith("/");
  curves(at("objects"), answer, answer.objects.map((one) => ({ ...one, name: one.label })), say("peopleOverTime"));
  const lines = answer.lines.map((one) => ({ ...one, name: `${one.rule} ${say(`direction_${one.direction}`)}` }));
  bars(at("lines"), answer, lines, say("crossings"));
  table("line-table", [say("line"), say("inOut"), say("count"), say("labels")], lines.map((one) => [one.rule, say(`direction_${one.direction}`), one.total, listed(one.labels)]));
  bars(at("zones"), answer, answer.zones.map((one) => ({ ...one, name: one.rule })), say("visits"));
  table("zone-table", [say("zone"), say("visitCount"), say("dwell"), say("labels")], answer.zones.map((one) => [one.rule, one.total, seconds(one.dwell), listed(one.labels)]));
  occupancy(answer);
  at("heat-section").hidden = !answer.heat_map;
  heat.available(answer.heat_map);
  at("flow-section").hidden = !answer.flows.length;
  table("flow-table", [say("from"), say("to"), say("label"), say("count")], answer.flows.map((one) => [one.origin, one.destination, one.label ?? "–", one.count]));
  choices("rule", answer.rules);
  choices("label", answer.labels);
}

function occupancy(answer) {
  const zones = answer.occupancy.map((one) => ({ ...one, name: one.rule }));
  at("occupancy-section").hidden = !zones.length;
  curves(at("occupancy"), answer, zones, say("occupancy"), true);
  const rows = zones.map(({ name, mean, peak }) => {
    const known = mean.filter((value) => value !== null), most = Math.max(...peak);
    const average = known.reduce((sum, value) => sum + value, 0) / known.length;
    return [name, average.toFixed(1), most, moment(answer.begin + answer.step * peak.indexOf(most))];
  });
  table("occupancy-table", ["zone", "mean", "maximum", "when"].map((each) => say(each)), rows);
}

function choices(id, values) {
  const select = at(id), now = select.value, wanted = ["", ...values];
  if (JSON.stringify(wanted) === JSON.stringify([...select.options].map((option) => option.value))) return;
  if (now && !wanted.includes(now)) wanted.push(now);
  select.replaceChildren(...wanted.map((value) => element("option", { value, textContent: value || say("any"), selected: value === now })));
}

function described(event) {
  const who = event.label ? `${event.label}${event.track === null ? "" : ` #${event.track}`}` : "";
  const what = event.direction ?? (event.dwell === null ? "" : seconds(event.dwell));
  const where = event.origin ? `${event.origin} → ${event.destination}` : event.rule;
  return [where, event.kind, what, who].filter(Boolean).join(" · ");
}

function entry(event) {
  const text = element(videos.length ? "button" : "span", {}, element("time", { textContent: moment(event.time, true) }), described(event));
  if (videos.length) text.onclick = () => play(event);
  const li = element("li", {}, text);
  if (event.image) li.prepend(element("img", { src: `events/${event.number}.jpg`, alt: "", loading: "lazy" }));
  return li;
}

function query(extra = {}) {
  const values = { rule: at("rule").value, label: at("label").value, ...extra };
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));
}

function span() {
  const [name, length] = SPANS.find(([each]) => each === at("span").value);
  if (name === "all") return { bins: BINS };
  const end = Math.ceil(Date.now() / 60000) * 60;
  if (name === "today") return { begin: new Date().setHours(0, 0, 0, 0) / 1000, end: new Date().setHours(24, 0, 0, 0) / 1000, bins: 24 };
  return { begin: end - length, end, bins: { hour: 60, week: 84, month: 60 }[name] };
}

async function refresh() {
  const wanted = query(span());
  at("csv").href = `history.csv?${wanted}`;
  at("occupancy-csv").href = `occupancy.csv?${wanted}`;
  try {
    show(await ask(`history.json?${wanted}`));
    const newest = events.length ? events[0].number : 0;
    const fresh = (await ask(`events.json?${query({ limit: 50 })}`)).events.filter((event) => event.number > newest);
    if (fresh.length) {
      events = [...fresh, ...events];
      at("list").prepend(...fresh.map(entry));
    }
    at("more").hidden = !events.length || events[events.length - 1].number <= 1;
    if (!events.length) at("list").replaceChildren(element("li", { textContent: say("nothingHere"), id: "none" }));
    else at("none")?.remove();
    setState("");
  } catch {
    setState(say("offline"), "lost");
  }
}

async function more() {
  const older = (await ask(`events.json?${query({ before: events[events.length - 1].number, limit: 50 })}`)).events;
  events.push(...older);
  at("list").append(...older.map(entry));
  at("more").hidden = older.length < 50;
}

async function restart() {
  events = [];
  at("list").replaceChildren();
  await Promise.all([refresh(), heat.refresh()]);
}

async function start() {
  dated = (await ask("events.json?limit=1").catch(() => ({ dated: true }))).dated;
  const known = dated ? SPANS : SPANS.filter(([name]) => name === "all");
  at("span").replaceChildren(...known.map(([name]) => element("option", { value: name, textContent: say(`span_${name}`) })));
  for (const id of ["span", "rule", "label"]) at(id).onchange = restart;
  at("more").onclick = more;
  at("filter").onsubmit = (event) => event.preventDefault();
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((done) => setTimeout(done, REFRESH_MS));
  }
}

start();
