// The frame: which view is shown, by the address after the `#`.

import { onLocked, takeToken } from "./api.js";
import { watchConnection } from "./connection.js";
import { announce, fill, h } from "./dom.js";
import { help } from "./help.js";
import { themeSwitch } from "./theme.js";
import { unlock } from "./unlock.js";

// The first pattern that fits says which module shows the view, what it is called, and which view Esc leads to; a group
// becomes a parameter of that name.
const VIEWS = [
  [/^\/$/, "list", () => "Exchanges", () => null],
  [/^\/exchanges\/(?<number>\d+)$/, "exchange", ({ number }) => `Exchange ${number}`, () => listed],
  [/^\/exchanges\/(?<number>\d+)\/edit$/, "editor", ({ number }) => `Edit and resend ${number}`, ({ number }) => `#/exchanges/${number}`],
  [/^\/send$/, "editor", () => "New request", () => listed],
  [/^\/diff$/, "diff", () => "Differences", () => before ?? listed],
  [/^\/conversations$/, "conversations", () => "Conversations", () => listed],
  [/^\/conversations\/(?<id>.+)$/, "conversation", ({ id }) => `Conversation ${id}`, () => "#/conversations"],
  [/^\/cassettes$/, "cassettes", () => "Cassettes", () => listed],
  [/^\/cassettes\/(?<path>.+)\/interactions\/(?<number>\d+)$/, "interaction", ({ path, number }) => `${path} #${number}`,
    ({ path }) => `#/cassettes/${encodeURIComponent(path)}`],
  [/^\/cassettes\/(?<path>.+)$/, "cassette", ({ path }) => path, () => "#/cassettes"],
  [/^\/sessions$/, "sessions", () => "Sessions", () => listed],
  [/^\/usage$/, "usage", () => "Usage", () => listed],
];
const MENU = [
  ["#/", "Exchanges", "e"],
  ["#/conversations", "Conversations", "v"],
  ["#/cassettes", "Cassettes", "c"],
  ["#/sessions", "Sessions", "s"],
  ["#/usage", "Usage", "u"],
];
const GO = Object.fromEntries(MENU.map(([href, , key]) => [key, href]));

const main = document.getElementById("main");
let leave = null;
let shown = 0;
let ownKeys = [];
let here = null; // the address that is shown, and the one before it
let before = null;
let listed = "#/"; // where the list was left, with its filter
let up = null; // where Esc leads

/** Where the address leads: `{path, query}`; query is a URLSearchParams. */
export function place() {
  const [path, query = ""] = (location.hash.slice(1) || "/").split("?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

/** Changes the address without leaving the view: `keep("#/?filter=…")`. */
export function keep(hash) {
  history.replaceState(null, "", hash);
  here = hash;
  if (place().path === "/") listed = hash;
  markMenu(place().path);
}

/** Says which keys the present view knows: pairs of key and what it does. */
export function keys(rows) {
  ownKeys = rows;
}

/** Says what the window is called while the present view is shown. */
export function title(text) {
  document.title = `${text} – replayproxy`;
}

/** Whether a key is meant for a field and not for the page. */
export function typing(event) {
  const { target } = event;
  return event.ctrlKey || event.metaKey || event.altKey || target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function found(path) {
  for (const [pattern, module, name, above] of VIEWS) {
    const match = pattern.exec(path);
    if (!match) continue;
    const params = Object.fromEntries(Object.entries(match.groups ?? {}).map(([key, value]) => [key, decoded(value)]));
    return { module, params, name: name(params), above: () => above(params) };
  }
  return null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % that somebody typed
  }
}

async function show() {
  const turn = ++shown;
  const { path, query } = place();
  const view = found(path);
  if (here !== location.hash) [before, here] = [here, location.hash];
  if (path === "/") listed = location.hash || "#/";
  if (leave) leave();
  [leave, ownKeys, up] = [null, [], view ? view.above : () => listed];
  markMenu(path);
  if (!view) return missing();
  title(view.name);
  const section = h("section", { class: `view ${view.module}`, "aria-label": view.name, tabindex: "-1" });
  fill(main, section);
  main.scrollTop = 0;
  if (turn > 1) section.focus({ preventScroll: true });
  try {
    const { show: open } = await import(`./${view.module}.js`);
    const close = await open(section, { params: view.params, query, current: () => turn === shown });
    if (turn === shown) leave = close ?? null;
    else if (close) close();
  } catch (error) {
    if (turn === shown && error.name !== "AbortError") failed(section, error);
  }
}

function missing() {
  document.title = "replayproxy";
  fill(main, h("p", { class: "empty" }, "There is no such view. ", h("a", { href: "#/" }, "All exchanges")));
}

function failed(section, error) {
  fill(section, h("p", { class: "error", role: "alert" }, error.message),
    h("p", { class: "pad buttons" }, h("button", { onclick: show }, "Try again"), h("a", { href: listed }, "All exchanges")));
}

function markMenu(path) {
  for (const link of document.querySelectorAll("#views a")) {
    const own = link.dataset.view;
    const marked = own === "/" ? path === "/" || /^\/(exchanges|diff|send)\b/.test(path) : path.startsWith(own);
    if (own === "/") link.setAttribute("href", listed);
    if (marked) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function frame() {
  const links = MENU.map(([href, name, key]) => h("a", { href, "data-view": href.slice(1), "aria-keyshortcuts": `g ${key}` }, name));
  fill(document.getElementById("views"), links);
  const connection = h("span", { class: "connection" });
  fill(document.getElementById("tools"),
    connection,
    h("a", { href: "#/send" }, "New request"),
    h("a", { href: "/docs" }, "API"),
    h("button", { class: "slight", onclick: openHelp, "aria-keyshortcuts": "?" }, "Keys"),
    themeSwitch(),
  );
  watchConnection(connection);
}

function openHelp() {
  help(ownKeys, MENU);
}

let going = false;

// `?` and `g` are everywhere, and come before what a view makes of its keys; Esc is what the view leaves of it.
document.addEventListener("keydown", (event) => {
  if (typing(event) || document.querySelector("dialog[open]")) return;
  if (going && GO[event.key]) {
    event.preventDefault();
    event.stopImmediatePropagation();
    location.hash = event.key === "e" ? listed : GO[event.key];
  } else if (event.key === "?") {
    event.preventDefault();
    openHelp();
  }
  going = event.key === "g" && !going;
}, true);

window.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (typing(event)) event.target.blur();
  else if (up?.()) location.hash = up();
});

takeToken();
onLocked(unlock);
frame();
window.addEventListener("hashchange", () => {
  takeToken();
  show();
});
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError") announce(event.reason?.message ?? String(event.reason));
});
show();
