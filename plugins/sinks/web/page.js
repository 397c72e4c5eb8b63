"use strict";
const at = (id) => document.getElementById(id);

function say(text, live) {
  at("state").textContent = text;
  at("state").className = live ? "live" : "";
}

function row(cells) {
  const tr = document.createElement("tr");
  for (const cell of cells) tr.insertCell().textContent = cell;
  return tr;
}

function chart(points) {
  const canvas = at("chart"), pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const top = Math.max(0.1, ...points.map((p) => p[1])) * 1.15;
  const last = points.length ? points[points.length - 1][0] : 0;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = style.getPropertyValue("--accent");
  pen.lineWidth = 3;
  pen.beginPath();
  for (const [second, value] of points)
    pen.lineTo(canvas.width * (1 - (last - second) / 180), canvas.height * (1 - value / top));
  pen.stroke();
  pen.fillStyle = style.getPropertyValue("--soft");
  pen.font = "22px system-ui";
  pen.fillText(`${Math.round(top * 1000)} ms`, 4, 22);
}

function show(of) {
  at("stream").textContent = of.stream ?? "";
  at("fps").textContent = of.fps.toFixed(1);
  at("age").textContent = of.age === null ? "–" : `${Math.round(of.age * 1000)} ms`;
  at("skipped").textContent = of.skipped;
  at("objects").replaceChildren(
    ...Object.keys(of.total).map((label) => row([label, of.now[label] ?? 0, of.total[label]])));
  at("events").replaceChildren(...of.events.map((event) => {
    const li = document.createElement("li");
    li.textContent = `${event.time.toFixed(1)} s  ${event.text}`;
    return li;
  }));
  chart(of.latency);
}

function connect() {
  const events = new EventSource("events");
  let over = false;
  events.onopen = () => {
    at("picture").src = `stream.mjpg?${Date.now()}`;
    say("live", true);
  };
  events.addEventListener("figures", (message) => show(JSON.parse(message.data)));
  events.addEventListener("end", (message) => {
    over = true;
    show(JSON.parse(message.data));
    say("the run has ended", false);
  });
  events.onerror = () => {
    events.close();
    if (!over && at("state").textContent !== "the run has ended") say("connection lost", false);
    setTimeout(connect, 2000);
  };
}

connect();
