// Aligned rows on the page: two columns, what differs marked by colour and by sign, what is the same folded.

import { fill, h } from "./dom.js";
import { count, many, marked } from "./texts.js";
import { wordRuns } from "./words.js";

const SIGNS = { same: ["", "the same"], changed: ["≠", "differs"], removed: ["−", "only left"], added: ["+", "only right"] };
const AROUND = 3; // rows of what is the same that stay beside a difference
const LONG = 280; // characters of a text that is the same before it is folded, and so many of them stay at each end
const KEPT = 80;
const AT_ONCE = 600; // differing rows that are shown at first

/**
 * A table of aligned rows: `{node, showAll(all)}`. `names` are the columns'. With `shortened`, a long text shows where
 * it differs.
 */
export function sideTable(rows, names, label) {
  const body = h("tbody", {});
  const show = (all) => {
    const open = all ? rows.length : 0;
    fill(body, ...pieces(rows, open).map((piece) => (piece.folded ? foldRow(piece.folded) : piece.rows.map(rowOf))));
  };
  const node = rows.length
    ? h("div", { class: "aligned-box" }, h("table", { class: "aligned", "aria-label": label },
        h("thead", {}, h("tr", {},
          h("th", { scope: "col", class: "sign" }, h("span", { class: "offscreen" }, "Sign")),
          names.map((name) => h("th", { scope: "col" }, name)))),
        body))
    : h("p", { class: "quiet" }, "Nothing on either side.");
  show(false);
  return { node, showAll: show };
}

// The rows cut into what is shown and what is folded.
function pieces(rows, open) {
  if (open) return [{ rows }];
  const near = new Uint8Array(rows.length);
  rows.forEach((row, at) => {
    if (row.kind !== "same") near.fill(1, Math.max(0, at - AROUND), at + AROUND + 1);
  });
  const found = [];
  let shown = 0;
  for (let at = 0; at < rows.length; ) {
    const kept = near[at] === 1 && shown < AT_ONCE;
    let end = at + 1;
    while (end < rows.length && (near[end] === 1 && shown + (kept ? end - at : 0) < AT_ONCE) === kept) end++;
    const cut = rows.slice(at, end);
    found.push(kept || cut.length < 3 ? { rows: cut } : { folded: cut });
    if (kept) shown += cut.length;
    at = end;
  }
  return found;
}

function foldRow(rows) {
  const differing = rows.filter((row) => row.first).length;
  const name = differing ? `${many(differing, "more difference")} in ${many(rows.length, "row")}` : `${many(rows.length, "row")} the same`;
  const button = h("button", { type: "button", class: "small", onclick: () => row.replaceWith(...rows.map(rowOf)) }, `Show ${name}`);
  const row = h("tr", { class: "fold" }, h("td", { colspan: "3" }, button));
  return row;
}

function rowOf(row) {
  const [sign, told] = SIGNS[row.kind];
  const [left, right] = row.kind === "changed" ? changedCells(row.left, row.right) : [cell(row.left), cell(row.right)];
  return h("tr", { class: row.kind, "data-path": row.first ? row.path : null, tabindex: row.first ? "-1" : null },
    h("td", { class: "sign" }, sign ? h("span", { title: told, role: "img", "aria-label": told }, sign) : null),
    h("td", { class: row.left === null ? "void" : "" }, left), h("td", { class: row.right === null ? "void" : "" }, right));
}

function cell(text) {
  return text === null ? null : h("code", {}, shortened(text));
}

function changedCells(left, right) {
  const found = wordRuns(left, right);
  const side = (tag, key) => h("code", {}, found.map((run, at) => {
    if (run.same) return middleFolded(run[key], at === 0, at === found.length - 1);
    return run[key] ? h(tag, {}, marked(run[key])) : null;
  }));
  return [side("del", "left"), side("ins", "right")];
}

// A text that is the same on both sides is folded where it is long, but beside what differs.
function middleFolded(text, isFirst, isLast) {
  if (text.length <= LONG) return marked(text);
  const [before, behind] = [isFirst ? KEPT : KEPT * 2, isLast ? KEPT : KEPT * 2];
  const hidden = text.length - before - behind;
  return [marked(text.slice(0, before)), more(text.slice(before, -behind), hidden), marked(text.slice(-behind))];
}

function shortened(text) {
  return text.length <= LONG ? marked(text) : [marked(text.slice(0, LONG)), more(text.slice(LONG), text.length - LONG)];
}

function more(text, hidden) {
  const show = () => button.replaceWith(...nodes(marked(text)));
  const name = `Show ${count(hidden)} characters more`;
  const button = h("button", { type: "button", class: "small more-text", "aria-label": name, onclick: show }, `… ${count(hidden)} …`);
  return button;
}

function nodes(children) {
  return [...h("span", {}, children).childNodes];
}

/** A table of differing paths: rows of {path, left, right, note}, each value a JSON text or null. `pick(path)` leads to it. */
export function pathTable(rows, names, { label, pick = null }) {
  const head = h("tr", {}, ["Path", ...names].map((name) => h("th", { scope: "col" }, name)));
  const path = (row) => (pick
    ? h("button", { type: "button", class: "link path", onclick: () => pick(row.path) }, marked(row.path))
    : h("code", {}, marked(row.path)));
  const body = rows.map((row) => h("tr", { class: row.note ? "aside" : null },
    h("th", { scope: "row" }, path(row), row.note ? h("span", { class: "quiet" }, ` ${row.note}`) : null), valueCells(row)));
  const table = h("table", { class: "paths", "aria-label": label }, h("thead", {}, head), h("tbody", {}, body));
  return h("div", { class: "paths-box" }, table);
}

function valueCells({ left, right }) {
  if (left !== null && right !== null) return changedCells(left, right).map((each) => h("td", {}, each));
  const told = (value) => (value === null ? h("span", { class: "quiet" }, "not there") : h("code", {}, shortened(value)));
  return [left, right].map((value) => h("td", {}, told(value)));
}
