"use strict";
const at = (id) => document.getElementById(id);
const view = at("picture").getContext("bitmaprenderer");
const HISTORY = 180; // seconds of latency
const STALLED = 5; // seconds without a picture that are worth a word
let over = false;

function say(text, kind = "") {
  if (at("state").textContent !== text) at("state").textContent = text; // read out once
  at("state").className = kind;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function row(...cells) {
  const tr = document.createElement("tr");
  tr.append(...cells.map((cell) => element("td", cell)));
  return tr;
}

const clock = (seconds) =>
  new Date(seconds * 1000).toISOString().slice(seconds < 3600 ? 14 : 11, 19);

const milliseconds = (seconds) =>
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
  pen.fillText(milliseconds(top), 0, 12);
  pen.fillText(`${HISTORY / 60} min ago`, 0, height - 3);
  pen.textAlign = "right";
  pen.fillText("now", width, height - 3);
  pen.strokeStyle = style.getPropertyValue("--line");
  for (const value of [0, top / 2, top]) pen.strokeRect(0, Math.round(y(value)) + 0.5, width, 0);
  pen.strokeStyle = style.getPropertyValue("--accent");
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.beginPath();
  for (const [second, value] of points) pen.lineTo(width * (1 - (last - second) / HISTORY), y(value));
  pen.stroke();
}

function show(of) {
  over = of.over;
  if (over) say("the run has ended");
  else if (of.age === null) say("waiting for the first picture");
  else if (of.age > STALLED) say(`no picture for ${Math.round(of.age)} s`, "lost");
  else say("live", "live");
  at("stream").textContent = of.stream ?? "";
  document.title = of.stream ? `${of.stream} · vidan` : "vidan";
  at("fps").textContent = over ? "–" : of.fps.toFixed(1);
  at("age").textContent = over || of.age === null ? "–" : milliseconds(of.age);
  at("dropped").textContent = of.dropped;
  at("skipped").textContent = of.skipped;
  const labels = new Set([...Object.keys(of.total), ...Object.keys(of.now)]);
  at("objects").replaceChildren(
    ...[...labels].map((label) => row(label, over ? "–" : of.now[label] ?? 0, of.total[label] ?? 0)));
  at("events").replaceChildren(...of.events.map((event) => {
    const li = element("li", event.text);
    li.prepend(element("time", clock(event.time)));
    return li;
  }));
  chart(of.latency);
}

async function draw(jpeg) {
  const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  const { width, height } = bitmap, canvas = at("picture");
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  view.transferFromImageBitmap(bitmap);
}

function connect() {
  const socket = new WebSocket(new URL("view", location.href.replace(/^http/, "ws")));
  // The next picture is asked for when this one is shown: none waits in the network, and a
  // page that nobody sees asks for none.
  const ask = () => socket.readyState === WebSocket.OPEN && socket.send("next");
  socket.binaryType = "arraybuffer";
  socket.onopen = ask;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") show(JSON.parse(data));
    else draw(data).catch(console.error).finally(() => requestAnimationFrame(ask));
  };
  socket.onclose = ({ code }) => {
    if (code === 1013) say("too many viewers", "lost");
    else if (!over) say("connection lost", "lost");
    setTimeout(connect, 2000);
  };
}

connect();
