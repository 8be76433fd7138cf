// Light or dark: as the system has it, or as was chosen here; kept in this browser.

import { announce, h } from "./dom.js";

const KEPT = "replayproxy-theme";
const NAMES = { auto: "Auto", light: "Light", dark: "Dark" };

function chosen() {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept in NAMES ? kept : "auto";
  } catch {
    return "auto"; // a browser that keeps nothing
  }
}

function apply(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The field that chooses, ready to be put somewhere. */
export function themeSwitch() {
  const options = Object.entries(NAMES).map(([value, name]) => h("option", { value, selected: value === chosen() }, name));
  return h("label", { class: "theme" }, h("span", { class: "offscreen" }, "Colours"),
    h("select", { name: "theme", title: "Colours: as the system has them, light, or dark", onchange: choose }, options));
}

function choose(event) {
  const theme = event.target.value;
  apply(theme);
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    announce("This browser does not keep the choice.");
  }
}

apply(chosen());
