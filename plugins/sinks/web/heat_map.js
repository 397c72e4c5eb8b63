"use strict";
// The heat map over an image, with a button that shows or hides it, and a legend.
const HEAT_REFRESH_MS = 10000;

function heatMap(name, standard, label = () => "") {
  const button = at("heat-button"), legend = at("heat-legend");
  let on = stored()[name] ?? standard, available = false, loaded = null;

  async function refresh() {
    if (!available || document.hidden || (!on && !at("still"))) return;
    const query = new URLSearchParams({ label: label() }), about = await ask(`heatmap.json?${query}`);
    query.append("version", about.version);
    if (at("still") && about.still) await swapped(at("still"), { id: "still", alt: say("still"), src: `still.jpg?${about.version}` });
    if (!on || query.toString() === loaded) return;
    await swapped(at("heat"), { id: "heat", src: `heatmap.png?${query}` });
    loaded = query.toString();
    describe(about);
    render();
  }

  function describe({ top, seconds }) {
    const ends = [0, top / 4, top].map((value) => element("span", {}, lasting(value))); // colors follow the root
    const scale = element("div", { className: "scale" }, element("div", { className: "colors" }), element("div", { className: "ends" }, ...ends));
    legend.replaceChildren(element("span", {}, say("heatLegend", { span: lasting(seconds) })), scale);
  }

  function render() {
    button.hidden = !available;
    button.setAttribute("aria-pressed", on);
    at("heat").hidden = legend.hidden = !available || !on || loaded === null;
  }

  button.onclick = () => {
    on = !on;
    store(name, on);
    render();
    refresh().catch(() => {});
  };
  setInterval(() => refresh().catch(() => {}), HEAT_REFRESH_MS); // the state of the page tells of errors
  return {
    // Whether there is a map, which the page learns with other things.
    available(now) {
      const first = now && !available;
      available = now;
      render();
      if (first) refresh().catch(() => {});
    },
    refresh: () => refresh().catch(() => {}),
  };
}
