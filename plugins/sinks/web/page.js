"use strict";
const view = at("image").getContext("bitmaprenderer");
const HISTORY = 180; // seconds of latency
const STALLED_AFTER = 5; // seconds without a new image
const parts = [...document.querySelectorAll("[data-part]")]; // buttons
let ended = false;
let socket = null;
const heat = heatMap("heat", false);
let shown = null; // parts that the server draws now; null before they are known

function row(...cells) {
  return element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell))));
}

const duration = (seconds) =>
  seconds < 10 ? `${Math.round(seconds * 1000)} ms` : `${Math.round(seconds)} s`;

function chart(points) {
  const canvas = at("chart"), pen = canvas.getContext("2d");
  const width = canvas.clientWidth, height = canvas.clientHeight, floor = height - 18;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  pen.scale(devicePixelRatio, devicePixelRatio);
  const style = getComputedStyle(document.documentElement);
  const top = Math.max(0.01, ...points.map(([, value]) => value));
  const last = points.length ? points[points.length - 1][0] : 0;
  const y = (value) => floor - (floor - 20) * value / top;
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = style.getPropertyValue("--soft");
  pen.fillText(duration(top), 0, 12);
  pen.fillText(say("minutesAgo", { minutes: HISTORY / 60 }), 0, height - 3);
  pen.textAlign = "right";
  pen.fillText(say("now"), width, height - 3);
  pen.strokeStyle = style.getPropertyValue("--line");
  for (const value of [0, top / 2, top]) pen.strokeRect(0, Math.round(y(value)) + 0.5, width, 0);
  pen.strokeStyle = style.getPropertyValue("--accent");
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.beginPath();
  for (const [second, value] of points) pen.lineTo(width * (1 - (last - second) / HISTORY), y(value));
  pen.stroke();
}

function show(stats) {
  ended = stats.ended;
  if (ended) setState(say("ended"));
  else if (stats.age === null) setState(say("state_waiting"));
  else if (stats.age > STALLED_AFTER) setState(say("state_lost", { seconds: Math.round(stats.age) }), "lost");
  else setState(say("state_live"), "live");
  if (!ended) heat.available(stats.heat_map);
  at("history").hidden = !stats.recorded || ended;
  at("edit").hidden = !stats.editable || ended;
  if (shown === null) showParts(stats.shown);
  for (const button of parts) button.disabled = ended;
  at("stream").textContent = stats.stream ?? "";
  document.title = stats.stream ? `${stats.stream} · vidan` : "vidan";
  at("fps").textContent = ended ? "–" : stats.fps.toFixed(1);
  at("age").textContent = ended || stats.age === null ? "–" : duration(stats.age);
  at("dropped").textContent = stats.dropped;
  at("skipped").textContent = stats.skipped;
  const labels = new Set([...Object.keys(stats.total), ...Object.keys(stats.now)]);
  at("objects").replaceChildren(
    ...[...labels].map((label) => row(label, ended ? "–" : stats.now[label] ?? 0, stats.total[label] ?? 0)));
  at("events").replaceChildren(
    ...stats.events.map((event) => element("li", {}, element("time", {}, clock(event.time)), event.text)));
  chart(stats.latency);
}

// The configured parts, but for those that the viewer has switched.
function showParts(configured) {
  const chosen = stored();
  for (const button of parts) {
    const { part } = button.dataset;
    button.setAttribute("aria-pressed", chosen[part] ?? configured.includes(part));
  }
  shown = configured.toString();
  tellParts();
}

function tellParts() {
  const wanted = parts.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => button.dataset.part);
  if (wanted.sort().toString() !== shown && socket.readyState === WebSocket.OPEN) socket.send(`show ${wanted.join(" ")}`);
  shown = wanted.toString();
}

async function draw(jpeg) {
  const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  const { width, height } = bitmap, canvas = at("image");
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  view.transferFromImageBitmap(bitmap);
}

function connect() {
  socket = new WebSocket(new URL("view", location.href.replace(/^http/, "ws")));
  // An image is requested when the one before is shown: none queues up in the network, and a
  // hidden page requests none.
  const own = socket, request = () => own.readyState === WebSocket.OPEN && own.send("next");
  socket.binaryType = "arraybuffer";
  shown = null;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      const first = shown === null;
      show(JSON.parse(data)); // tells what to draw
      if (first) request();
    } else draw(data).catch(console.error).finally(() => requestAnimationFrame(request));
  };
  socket.onclose = ({ code }) => {
    if (code === 1013) setState(say("tooMany"), "lost");
    else if (!ended) setState(say("connectionLost"), "lost");
    setTimeout(connect, 2000);
  };
}

for (const button of parts)
  button.onclick = () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    store(button.dataset.part, on);
    tellParts();
  };
fullScreen(at("full"), at("stage"));
at("all").hidden = !/\/streams\/[^/]+\/$/.test(location.pathname);
connect();
