"use strict";
const REFRESH_MS = 1000; // between two images, and two states
const tiles = new Map(); // by name of the stream

function tile(name) {
  const image = element("img", { alt: "" });
  const parts = Object.fromEntries(["name", "state", "latency", "objects"].map((key) => [key, element(key === "name" ? "strong" : "span")]));
  const text = element("p", {}, ...Object.values(parts));
  const link = element("a", { href: `streams/${encodeURIComponent(name)}/` }, image, text);
  at("wall").append(link);
  return { link, image, parts, loading: false };
}

function show(stream) {
  if (!tiles.has(stream.name)) tiles.set(stream.name, tile(stream.name));
  const { link, parts } = tiles.get(stream.name);
  link.className = stream.state;
  put(parts.name, stream.name);
  parts.state.className = "state";
  const seconds = Math.round(stream.age ?? 0);
  put(parts.state, say(`state_${stream.state}`, { seconds }));
  const live = stream.state === "live";
  put(parts.latency, live && stream.latency !== null ? say("latencyNow", { ms: Math.round(stream.latency * 1000) }) : "");
  const objects = Object.entries(stream.now).map(([label, count]) => `${count} ${label}`).join(", ");
  put(parts.objects, live ? objects || say("nothing") : "");
  if (live || (stream.state !== "waiting" && !link.querySelector("img").src)) load(stream.name);
}

async function load(name) {
  const one = tiles.get(name);
  if (one.loading || document.hidden) return;
  one.loading = true;
  try {
    one.image = await swapped(one.image, { src: `streams/${encodeURIComponent(name)}/thumbnail.jpg?${Date.now()}` });
  } catch {
    // the state says why
  }
  one.loading = false;
}

async function follow() {
  try {
    const streams = await ask("streams.json");
    streams.forEach(show);
    const live = streams.filter((stream) => stream.state === "live").length;
    setState(say("wallState", { live, count: streams.length }), live === streams.length ? "live" : "");
  } catch {
    setState(say("offline"), "lost");
    for (const { link } of tiles.values()) link.className = "lost";
  }
  setTimeout(follow, REFRESH_MS);
}

follow();
