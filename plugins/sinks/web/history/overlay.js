"use strict";
// Boxes, labels and trails of a finished run, over its video.
const TRAIL_S = 1;
const GAP_S = 0.5; // a frame is shown for this time at most
const LOAD_S = 20; // that is asked for at once
const AHEAD_S = 3; // before the end of what is known, more is asked for
const RETRY_MS = 1000;

function overlay(parts, start) {
  const video = at("video"), svg = at("overlay");
  const buttons = [...document.querySelectorAll("[data-part]")].filter((button) => parts.includes(button.dataset.part));
  let frames = [], from = Infinity, until = -Infinity, loading = false;

  const shows = (part) => buttons.some((button) => button.dataset.part === part && button.getAttribute("aria-pressed") === "true");

  async function load(time) {
    loading = true;
    try {
      const begin = Math.max(0, time - 2 * TRAIL_S), end = begin + LOAD_S;
      frames = await ask(`tracks.json?${new URLSearchParams({ begin, end })}`);
      [from, until] = [begin, end];
      draw();
    } catch {
      await new Promise((done) => setTimeout(done, RETRY_MS)); // the state of the page tells of errors
    }
    loading = false;
  }

  function draw() {
    const time = start() + video.currentTime;
    if (!loading && (time < from + (from && TRAIL_S) || time > until - AHEAD_S)) load(time);
    const now = frames.findLastIndex((frame) => frame.time <= time + 0.01);
    svg.replaceChildren();
    if (now < 0 || time - frames[now].time > GAP_S) return;
    const { tracks, size: [width, height] } = frames[now];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (shows("trails")) for (const track of tracks) trail(track, now, height);
    for (const track of tracks) box(track, height);
  }

  const style = (track) => `c${track.id % 6}`;

  function trail({ id }, now, height) {
    const points = [];
    for (let n = now; n >= 0 && frames[n].time >= frames[now].time - TRAIL_S; n--) {
      const track = frames[n].tracks.find((each) => each.id === id);
      if (track) points.push(`${(track.box[0] + track.box[2]) / 2},${(track.box[1] + track.box[3]) / 2}`);
    }
    drawn(svg, "polyline", { class: style({ id }), points: points.join(" "), "stroke-width": height / 360 });
  }

  function box(track, height) {
    const [x, y, right, bottom] = track.box;
    const lines = { "stroke-width": height / 240, ...(track.coasting && { "stroke-dasharray": `${height / 60}` }) };
    if (shows("boxes")) drawn(svg, "rect", { class: style(track), x, y, width: right - x, height: bottom - y, ...lines });
    if (!shows("labels")) return;
    const text = `#${track.id} ${track.label}${track.coasting ? "" : ` ${track.score.toFixed(2)}`}`, above = y - height / 120;
    drawn(svg, "text", { x, y: above > height / 30 ? above : bottom + height / 36, "font-size": height / 36, "stroke-width": height / 180 }, text);
  }

  for (const button of buttons) {
    const { part } = button.dataset;
    button.hidden = false;
    button.setAttribute("aria-pressed", stored()[part] ?? true);
    button.onclick = () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", on);
      store(part, on);
      draw();
    };
  }
  const follow = () => {
    draw();
    video.requestVideoFrameCallback(follow);
  };
  if (video.requestVideoFrameCallback) follow();
  for (const name of ["timeupdate", "seeked", "loadeddata"]) video.addEventListener(name, draw);
}
