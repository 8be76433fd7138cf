// A row of the list: its cells, made once and filled again and again while rows are recycled.

import { duration, h, size } from "./dom.js";

const REDACTED = /\bredacted\.[A-Za-z0-9_-]+(?:\.[0-9a-f]+)?/g;
export const WORDS = { under_way: "under way", gone: "client left" };
const FAILED = new Set(["missed", "failed", "rejected"]);

/** The columns from left to right: class and name of each. */
export const COLUMNS = [
  ["number", "#"],
  ["time", "Time"],
  ["outcome", "Outcome"],
  ["what", "Request"],
  ["status", "Status"],
  ["first", "First byte"],
  ["total", "Total"],
  ["size", "Size"],
  ["tokens", "Tokens in / out"],
  ["model", "Model"],
  ["session", "Session"],
];

/** The row of column names. */
export function headRow() {
  return h("div", { role: "row", class: "row head", "aria-rowindex": 1 },
    COLUMNS.map(([name, text]) => h("span", { role: "columnheader", class: name }, text)));
}

/** A row that shows nothing yet: `{element, fill(exchange, index)}`. */
export function newRow() {
  const badge = h("span", { class: "badge" });
  const method = h("span", { class: "method" });
  const link = h("a", { class: "operation", tabindex: "-1" });
  const target = h("span", { class: "target quiet" });
  const invalid = h("span", { class: "badge warn" }, "invalid");
  const what = h("span", { class: "line" }, method, link, invalid);
  const cells = Object.fromEntries(COLUMNS.map(([name]) => [name, h("span", { role: "gridcell", class: name })]));
  cells.outcome.append(badge);
  cells.what.append(what, target);
  const element = h("div", { role: "row", class: "row" }, Object.values(cells));

  function fill(exchange, index) {
    const { number, outcome, status, problems } = exchange;
    const live = outcome === "under_way";
    const word = WORDS[outcome] ?? outcome;
    element.id = `exchange-${number}`;
    element.dataset.number = number;
    element.setAttribute("aria-rowindex", index + 2);
    element.setAttribute("aria-label", spoken(exchange, word));
    element.className = `row${FAILED.has(outcome) || status >= 400 ? " failed" : ""}${live ? " live" : ""}`;
    badge.className = `badge ${outcome}`;
    set(badge, word);
    badge.title = exchange.note ?? "";
    set(cells.number, number);
    set(cells.time, clock(exchange.arrived));
    set(method, exchange.method);
    set(link, exchange.operation ?? pathOf(exchange.target));
    link.setAttribute("href", `#/exchanges/${Number(number)}`);
    showTarget(target, exchange.operation ? exchange.target : queryOf(exchange.target));
    cells.what.title = exchange.target;
    invalid.hidden = !problems;
    invalid.title = problems === 1 ? "1 problem" : `${problems} problems`;
    set(cells.status, status || (live ? "…" : "–"));
    cells.status.dataset.class = status ? Math.floor(status / 100) : "";
    set(cells.first, exchange.first_byte ? duration(exchange.first_byte) : "");
    set(cells.total, live ? "…" : duration(exchange.seconds));
    set(cells.size, size(exchange.received));
    set(cells.tokens, exchange.tokens ? `${exchange.tokens.input ?? 0} / ${exchange.tokens.output ?? 0}` : "");
    set(cells.model, exchange.model ?? "");
    cells.model.title = exchange.model ?? "";
    set(cells.session, exchange.session);
    cells.session.title = exchange.session;
  }

  return { element, fill };
}

// What a screen reader says of a row when it becomes the chosen one.
function spoken(exchange, word) {
  const status = exchange.status ? `, status ${exchange.status}` : "";
  const wrong = exchange.problems ? `, ${exchange.problems} problems` : "";
  const took = exchange.seconds ? `, ${duration(exchange.seconds)}` : "";
  const what = exchange.operation ?? exchange.target;
  return `${exchange.number}: ${exchange.method} ${what}, ${word}${status}${wrong}${took}, session ${exchange.session}`;
}

// Text nodes are changed, not made anew: this runs for every row at every frame of a scroll.
function set(element, text) {
  const now = String(text);
  if (element.firstChild) {
    if (element.firstChild.data !== now) element.firstChild.data = now;
  } else element.append(document.createTextNode(now));
}

function showTarget(element, target) {
  if (!target.includes("redacted.")) {
    if (element.childElementCount) element.replaceChildren();
    set(element, target);
    return;
  }
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of target.matchAll(REDACTED)) {
    parts.push(target.slice(end, index), h("span", { class: "redacted", title: "redacted before it was stored" }, found));
    end = index + found.length;
  }
  element.replaceChildren(...parts, target.slice(end));
}

const pathOf = (target) => target.split("?")[0];
const queryOf = (target) => target.slice(pathOf(target).length);

const two = (number) => String(number).padStart(2, "0");

function clock(arrived) {
  const at = new Date(arrived);
  if (Number.isNaN(at.getTime())) return "";
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
