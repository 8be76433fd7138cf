// A stream as a strip: how much came when, and where it stood still longest.

import { duration, fill, h } from "./dom.js";

const WIDTH = 600, HEIGHT = 46, BINS = 120;

/** An empty strip; `draw(events, longest)` fills it, `events` with {at, size, delta}, `longest` with {from, to} or null. */
export function strip() {
  const svg = h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "strip", role: "img" });
  return { node: svg, draw: (events, longest) => draw(svg, events, longest) };
}

function draw(svg, events, longest) {
  const timed = events.filter((each) => each.at !== null);
  svg.classList.toggle("hidden", timed.length < 2);
  if (timed.length < 2) return;
  const begin = timed[0].at;
  const span = Math.max(timed.at(-1).at - begin, 1e-6);
  const place = (at) => ((at - begin) / span) * (WIDTH - 4);
  const bins = new Array(BINS).fill(0);
  for (const each of timed) bins[Math.min(BINS - 1, Math.floor(((each.at - begin) / span) * BINS))] += each.delta?.length ?? 0.5;
  const most = Math.max(...bins);
  const width = (WIDTH - 4) / BINS;
  const gap = longest ? `; the longest gap is ${duration(longest.to - longest.from)}` : "";
  const told = `${events.length} events over ${duration(span)}${gap}`;
  svg.setAttribute("aria-label", told);
  fill(svg,
    h("title", {}, told),
    longest ? rect("gap", place(longest.from), Math.max(place(longest.to) - place(longest.from), 1), HEIGHT) : null,
    h("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }),
    bins.map((value, at) => {
      if (!value) return null;
      const tall = Math.max((value / most) * (HEIGHT - 4), 2);
      return rect("bin", at * width, Math.max(width - 1, 1), tall);
    }));
}

// Stands on the strip's lower edge.
function rect(name, x, width, height) {
  return h("rect", { class: name, x: x.toFixed(2), y: (HEIGHT - height).toFixed(2), width: width.toFixed(2), height: height.toFixed(2) });
}
