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

function put(target, text) {
  if (target.textContent !== text) target.textContent = text; // or screen readers would repeat it
}

function setState(text, kind = "") {
  put(at("state"), text);
  at("state").className = kind;
}

// Stream time as a clock shows it.
const clock = (seconds) =>
  new Date(Math.max(0, seconds) * 1000).toISOString().slice(seconds < 3600 ? 14 : 11, 19);

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
