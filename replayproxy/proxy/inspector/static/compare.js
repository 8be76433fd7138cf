// Two messages to compare: the first one is remembered, the second one leads to their differences.

import { diffAddress } from "./cassette_paths.js";
import { announce, h } from "./dom.js";

const KEPT = "replayproxy-compare";

/** The reference (`exchange:12`, `PATH#3`) that is remembered, "" for none. */
export function remembered() {
  return sessionStorage.getItem(KEPT) ?? "";
}

/** Remembers a reference; with the same one again, forgets it. With another one remembered, goes to their differences. */
export function compareWith(reference) {
  const other = remembered();
  if (!other) {
    sessionStorage.setItem(KEPT, reference);
    announce(`${shown(reference)} is remembered: now choose the one to compare it with`);
    return;
  }
  sessionStorage.removeItem(KEPT);
  if (other === reference) announce("No longer remembered");
  else location.hash = diffAddress(other, reference);
}

function shown(reference) {
  return reference.startsWith("exchange:") ? `#${reference.slice(9)}` : reference;
}

/** The button for it, which says what it would do. */
export function compareButton(reference) {
  const button = h("button", { type: "button", "aria-keyshortcuts": "d" });
  const name = () => {
    const other = remembered();
    button.textContent = !other ? "Compare with…" : other === reference ? "Choose another to compare" : `Compare with ${shown(other)}`;
    button.setAttribute("aria-pressed", String(other === reference));
  };
  button.addEventListener("click", () => {
    compareWith(reference);
    name();
  });
  name();
  return button;
}
