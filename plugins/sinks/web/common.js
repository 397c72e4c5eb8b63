"use strict";
// What the scripts of the pages share.
const SVG = "http://www.w3.org/2000/svg";

const at = (id) => document.getElementById(id);

const say = (key, values = {}) => TEXT[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

function drawn(parent, name, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

// A new image in the place of one, when it can be shown.
async function swapped(image, attributes) {
  const next = element("img", { alt: "", ...attributes });
  await next.decode();
  image.replaceWith(next);
  return next;
}

function put(target, text) {
  if (target.textContent !== text) target.textContent = text; // or screen readers would repeat it
}

function setState(text, kind = "") {
  put(at("state"), text);
  at("state").className = kind;
}

// What the viewer has switched on or off, by name; remembered in the browser.
function stored() {
  try {
    return JSON.parse(localStorage.getItem("vidan")) ?? {};
  } catch {
    return {}; // not allowed, or not written by this page
  }
}

function store(name, on) {
  try {
    localStorage.setItem("vidan", JSON.stringify({ ...stored(), [name]: on }));
  } catch {
    // not allowed, or full: it is not remembered
  }
}

// Let the button, and the key F, show an element on the full screen; Escape ends it.
function fullScreen(button, shown) {
  if (!document.fullscreenEnabled) return;
  const toggle = () => {
    const change = document.fullscreenElement ? document.exitFullscreen() : shown.requestFullscreen();
    change.catch(() => {}); // the browser may refuse
  };
  button.hidden = false;
  button.onclick = toggle;
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "f" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.matches?.("input, select, textarea")) return;
    event.preventDefault();
    toggle();
  });
  document.addEventListener("fullscreenchange", () => {
    button.textContent = say(document.fullscreenElement ? "fullScreenEnd" : "fullScreen");
  });
}

// Stream time as a clock shows it.
const clock = (seconds) =>
  new Date(Math.max(0, seconds) * 1000).toISOString().slice(seconds < 3600 ? 14 : 11, 19);

// A duration in words.
const lasting = (seconds) =>
  seconds && seconds < 10 ? `${seconds.toFixed(seconds < 1 ? 2 : 1)} s` : seconds < 120 ? `${Math.round(seconds)} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;

async function ask(url, given = {}) {
  let answer;
  try {
    answer = await fetch(url, given);
  } catch {
    throw new Error(say("offline"));
  }
  const content = await answer.json().catch(() => ({ error: answer.statusText }));
  if (!answer.ok) throw Object.assign(new Error(content.error ?? answer.statusText), { status: answer.status });
  return content;
}

for (const each of document.querySelectorAll("[data-text]")) each.textContent = say(each.dataset.text);
for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", say(each.dataset.label));
for (const each of document.querySelectorAll("[data-title]")) each.title = say(each.dataset.title);
