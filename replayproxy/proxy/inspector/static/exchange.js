// One exchange, followed while it is under way.

import { get, listen, Refused } from "./api.js";
import { detailView } from "./detail.js";
import { announce, fill, h } from "./dom.js";
import { keys, typing } from "./main.js";
import { release } from "./media.js";

const KEYS = [
  ["j / k", "next, previous exchange"],
  ["d", "compare with another one"],
  ["c", "copy the path of the chosen field (in the tree: v its value)"],
];

export async function show(view, { params, current }) {
  const number = Number(params.number);
  const stop = new AbortController();
  keys(KEYS);
  const go = (step) => goTo(number + step, step, stop.signal);
  const around = [
    h("button", { type: "button", onclick: () => go(-1), "aria-keyshortcuts": "k" }, "‹ Previous"),
    h("button", { type: "button", onclick: () => go(1), "aria-keyshortcuts": "j" }, "Next ›"),
  ];
  const shown = detailView({ kind: "exchange", number }, { around });
  const pressed = (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    const act = { j: () => go(1), k: () => go(-1), d: () => shown.compare() }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", pressed);
  const close = () => {
    stop.abort();
    document.removeEventListener("keydown", pressed);
    release();
  };
  try {
    const detail = await get(`/exchanges/${number}`, { signal: stop.signal });
    await shown.update(detail);
    if (current()) fill(view, shown.node);
    if (detail.outcome === "under_way") follow(shown, number, stop.signal);
  } catch (error) {
    if (!(error instanceof Refused)) {
      close();
      throw error;
    }
    fill(view, h("p", { class: "error", role: "alert" }, error.message),
      h("p", { class: "pad buttons" }, around, h("a", { href: "#/" }, "All exchanges")));
  }
  return close;
}

// The feed tells the detail, then events, then the detail once more; when it breaks off, what is there stays.
async function follow(shown, number, signal) {
  try {
    await listen(`/exchanges/${number}/feed`, { detail: (detail) => shown.update(detail), events: (told) => shown.add(told) }, signal);
  } catch (error) {
    if (!signal.aborted) announce(`This exchange is no longer followed: ${error.message}`);
  }
}

async function goTo(number, step, signal) {
  if (number < 1) return announce("This is the first exchange");
  try {
    await get(`/exchanges/${number}`, { signal });
    location.hash = `#/exchanges/${number}`;
  } catch (error) {
    const end = step > 0 ? "This is the latest exchange" : "The journal does not hold the exchange before this one";
    if (error instanceof Refused) announce(end);
    else if (error.name !== "AbortError") announce(error.message);
  }
  return undefined;
}
