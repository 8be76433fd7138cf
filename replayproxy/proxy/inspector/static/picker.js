// Chooses what to compare: an exchange of the journal, or an interaction of a cassette.

import { get, listen } from "./api.js";
import { diffAddress } from "./cassette_paths.js";
import { fill, h } from "./dom.js";
import { line } from "./texts.js";

const SHOWN = 100;

/** Fills a view with what can be chosen for the side that is missing. */
export async function picker(view, { left, right, signal }) {
  const known = left || right;
  const choose = (reference) => {
    if (!known) location.hash = `#/diff?left=${encodeURIComponent(reference)}`;
    else location.hash = left ? diffAddress(left, reference) : diffAddress(reference, right);
  };
  const exchanges = h("div", {}, h("p", { class: "quiet" }, "Looking…"));
  const interactions = h("div", {});
  const cassette = h("select", { id: "picker-cassette", onchange: () => showInteractions(interactions, cassette.value, choose, signal) });
  const typed = h("input", { id: "picker-reference", placeholder: "exchange:12 or checkout.yaml#3", size: "28" });
  fill(view, h("div", { class: "pad picker" },
    h("h2", {}, "Compare"),
    h("p", {}, known ? ["Choose what to compare with ", h("b", {}, line(known, 80)), "."] : "Choose the left one."),
    h("form", { class: "buttons", onsubmit: (event) => {
      event.preventDefault();
      if (typed.value.trim()) choose(typed.value.trim());
    } }, h("label", { for: "picker-reference" }, "By name"), typed, h("button", {}, "Choose")),
    h("h3", {}, "Exchanges"), exchanges,
    h("h3", {}, h("label", { for: "picker-cassette" }, "Interactions of a cassette")), cassette, interactions));
  await Promise.all([showExchanges(exchanges, choose, signal), fillCassettes(cassette, interactions, signal)]);
}

async function showExchanges(place, choose, signal) {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  const found = [];
  try {
    await listen(`/feed?limit=${SHOWN}`, {
      page: ({ exchanges }) => found.push(...exchanges),
      caught_up: () => stop.abort(),
    }, stop.signal);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
  if (signal.aborted) return;
  if (!found.length) fill(place, h("p", { class: "quiet" }, "The journal is empty."));
  else fill(place, table(found.slice(0, SHOWN), "Exchanges", (each) => `exchange:${each.number}`, choose));
}

async function fillCassettes(select, place, signal) {
  const { cassettes } = await get("/cassettes", { signal });
  const usable = cassettes.filter((each) => !each.broken && each.interactions);
  const first = h("option", { value: "" }, usable.length ? "choose a cassette" : "there is none");
  fill(select, first, usable.map(({ path }) => h("option", { value: path }, path)));
  select.disabled = !usable.length;
  fill(place);
}

async function showInteractions(place, path, choose, signal) {
  if (!path) return fill(place);
  const { interactions } = await get(`/cassettes/${encodeURIComponent(path)}/interactions`, { signal });
  const usable = interactions.filter((each) => !each.broken);
  return fill(place, table(usable, `Interactions of ${path}`, (each) => `${path}#${each.number}`, choose));
}

function table(rows, label, reference, choose) {
  return h("div", { class: "paths-box" }, h("table", { "aria-label": label }, h("tbody", {}, rows.map((each) => h("tr", {},
    h("td", {}, h("button", { type: "button", class: "small", onclick: () => choose(reference(each)) }, `#${each.number}`)),
    h("td", { class: "mono" }, line(`${each.method} ${each.target}`, 120)),
    h("td", {}, each.status || ""),
    h("td", { class: "quiet" }, each.operation ?? ""))))));
}
