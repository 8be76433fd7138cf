// Where the time of an exchange went: a bar for each stretch, and the same in numbers.

import { duration, fill, h, size } from "./dom.js";
import { count } from "./texts.js";

/** The waterfall and the table of times. */
export function timingView(detail) {
  const stretches = stretchesOf(detail);
  const total = Math.max(...stretches.map((each) => each.to), 1e-9);
  const rows = stretches.map((each) => {
    const bar = h("span", { class: `bar ${each.tone}` });
    bar.style.marginLeft = `${((each.from / total) * 100).toFixed(2)}%`;
    bar.style.width = `${Math.max(((each.to - each.from) / total) * 100, 0.4).toFixed(2)}%`;
    return h("tr", {}, h("th", { scope: "row" }, each.name), h("td", { class: "track" }, bar),
      h("td", { class: "figure" }, duration(each.to - each.from)));
  });
  return h("div", { class: "timing" },
    rows.length
      ? h("table", { class: "waterfall", "aria-label": "Where the time went" }, h("tbody", {}, rows))
      : h("p", { class: "quiet" }, "No times are known."),
    facts(factsOf(detail)));
}

function stretchesOf({ first_byte: first, seconds, response }) {
  if (!seconds) return first ? [{ name: "Waiting for the first byte", from: 0, to: first, tone: "waiting" }] : [];
  if (!first) return [{ name: "All", from: 0, to: seconds, tone: "waiting" }];
  const found = [{ name: "Request, and waiting for the first byte", from: 0, to: first, tone: "waiting" }];
  const times = (response?.events ?? []).map((each) => each.at).filter((at) => at !== null);
  if (times.length) {
    const begin = Math.min(first + times[0], seconds);
    const end = Math.min(Math.max(first + times.at(-1), begin), seconds);
    found.push({ name: "Until the first event", from: first, to: begin, tone: "waiting" });
    found.push({ name: "Events", from: begin, to: end, tone: "streaming" });
    found.push({ name: "Until the end", from: end, to: seconds, tone: "ending" });
  } else found.push({ name: "Answer until its end", from: first, to: Math.max(seconds, first), tone: "streaming" });
  return found;
}

function factsOf(detail) {
  const { seconds, first_byte: first, tokens, received, sent } = detail;
  const answering = seconds && first ? seconds - first : null;
  return [
    [detail.outcome === undefined ? "Recorded" : "Arrived", detail.arrived ? new Date(detail.arrived).toISOString().replace("T", " ") : ""],
    ["Time to first byte", duration(first)],
    ["Total", duration(seconds)],
    ["Request body", size(sent)],
    ["Answer body", size(received)],
    ["Rate of the answer", answering && received && answering > 0.001 ? `${size(Math.round(received / answering))}/s` : ""],
    ["Output tokens per second", perSecond(tokens?.output, detail)],
  ].filter(([, told]) => told);
}

/** Tokens per second over the whole exchange: "24.3 over 1.20 s"; "" when they are not known. */
export function perSecond(tokens, { seconds }) {
  if (!tokens || !seconds) return "";
  const rate = tokens / seconds;
  return `${rate < 100 ? rate.toFixed(1) : count(Math.round(rate))} over ${duration(seconds)}`;
}

/** Names and what is to say of each, as a list of terms. */
export function facts(pairs) {
  return fill(h("dl", { class: "facts" }), pairs.map(([name, told]) => h("div", {}, h("dt", {}, name), h("dd", {}, told))));
}
