// What the list says when it has no row to show: why, and what to do.

import { get } from "./api.js";
import { copy, h } from "./dom.js";

/** Where a client has to be pointed to: the base URL of the default session, "" when nobody tells. */
export async function baseUrl() {
  try {
    const { sessions } = await get("/sessions");
    return (sessions.find((each) => each.name === "default") ?? sessions[0])?.base_url ?? "";
  } catch {
    return "";
  }
}

/** Nothing has gone through yet. */
export function nothingYet(base) {
  const setting = `OPENAI_BASE_URL=${base}`;
  const request = `curl ${base}/models -H "Authorization: Bearer any"`;
  return box("Nothing has gone through yet",
    h("p", {}, "Point your app at the proxy; each exchange shows up here as it happens."),
    base ? h("ul", { class: "recipes" }, [setting, request].map(recipe)) : null,
    h("p", { class: "quiet" }, "Or send a ", h("a", { href: "#/send" }, "request from here"), "."));
}

/** There are some, but none fits the filter. */
export function noneFits(held, { off, empty }) {
  return box("None fits the filter",
    h("p", {}, held === 1 ? "The one exchange that the journal holds is another." : `The journal holds ${count(held)} others.`),
    h("p", { class: "buttons" },
      h("button", { class: "primary", onclick: off }, "Switch the filter off"),
      h("button", { onclick: empty }, "Empty it")));
}

/** All are out of sight. */
export function cleared(hidden, showAll) {
  return box("Cleared",
    h("p", {}, `New exchanges show up here. ${hidden === 1 ? "One is" : `${count(hidden)} are`} out of sight.`),
    h("p", { class: "buttons" }, h("button", { class: "primary", onclick: showAll }, "Show all")));
}

/** A search is going on and has found nothing yet. */
export function searching(searched, of) {
  return box("Searching…", of ? h("p", {}, `${count(searched)} of ${count(of)} looked through.`) : null);
}

/** A number of things, as people read it. */
export function count(number) {
  return number.toLocaleString("en");
}

function box(heading, ...children) {
  return h("div", { class: "vacant" }, h("h2", {}, heading), children);
}

function recipe(text) {
  const button = h("button", { class: "slight", "aria-label": `Copy ${text}`, onclick: () => copy(text) }, "Copy");
  return h("li", {}, h("code", {}, text), button);
}
