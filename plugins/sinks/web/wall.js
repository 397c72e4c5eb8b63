"use strict";
const at = (id) => document.getElementById(id);
const REFRESH_MS = 1000; // between two images, and two states
const tiles = new Map(); // by name of the stream

function tile(name) {
  const link = document.createElement("a");
  link.href = `streams/${encodeURIComponent(name)}/`;
  const image = document.createElement("img"), text = document.createElement("p");
  image.alt = "";
  const parts = Object.fromEntries(["name", "state", "latency", "objects"].map((key) => [key, document.createElement(key === "name" ? "strong" : "span")]));
  text.append(...Object.values(parts));
  link.append(image, text);
  at("wall").append(link);
  return { link, image, parts, loading: false };
}

function show(stream) {
  if (!tiles.has(stream.name)) tiles.set(stream.name, tile(stream.name));
  const { link, parts } = tiles.get(stream.name);
  const put = (part, text) => parts[part].textContent !== text && (parts[part].textContent = text);
  link.className = stream.state;
  put("name", stream.name);
  parts.state.className = "state";
  const seconds = Math.round(stream.age ?? 0);
  put("state", say(`state_${stream.state}`, { seconds }));
  const live = stream.state === "live";
  put("latency", live && stream.latency !== null ? say("latencyNow", { ms: Math.round(stream.latency * 1000) }) : "");
  const objects = Object.entries(stream.now).map(([label, count]) => `${count} ${label}`).join(", ");
  put("objects", live ? objects || say("nothing") : "");
  if (live || (stream.state !== "waiting" && !link.querySelector("img").src)) load(stream.name);
}

async function load(name) {
  const one = tiles.get(name);
  if (one.loading || document.hidden) return;
  one.loading = true;
  const next = new Image();
  next.alt = "";
  next.src = `streams/${encodeURIComponent(name)}/thumbnail.jpg?${Date.now()}`;
  try {
    await next.decode();
    one.image.replaceWith(next);
    one.image = next;
  } catch {
    // the state says why
  }
  one.loading = false;
}

async function follow() {
  try {
    const answer = await fetch("streams.json");
    if (!answer.ok) throw new Error(answer.statusText);
    const streams = await answer.json();
    streams.forEach(show);
    const live = streams.filter((stream) => stream.state === "live").length;
    const text = say("wallState", { live, count: streams.length });
    if (at("state").textContent !== text) at("state").textContent = text;
    at("state").className = live === streams.length ? "live" : "";
  } catch {
    at("state").textContent = say("offline");
    at("state").className = "lost";
    for (const { link } of tiles.values()) link.className = "lost";
  }
  setTimeout(follow, REFRESH_MS);
}

follow();
