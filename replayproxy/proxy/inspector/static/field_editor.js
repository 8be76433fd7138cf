// A table of header fields that can be changed, added to and shortened.

import { fill, h } from "./dom.js";

const REDACTED = /redacted\.(?:(?:org|proj)\.[0-9a-f]{8}|[a-z][a-z-]{0,30}[a-z])/;

/** The table of some fields: `{node, value()}`; fields without a name are left out. */
export function fieldEditor(fields, changed) {
  const body = h("tbody", {});
  const add = (name = "", value = "") => {
    const row = rowOf(name, value, changed);
    body.append(row);
    return row;
  };
  fields.forEach(([name, value]) => add(name, value));
  const more = h("button", { type: "button", class: "small", onclick: () => add().querySelector("input").focus() }, "Add a header");
  const head = h("tr", {}, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Value"),
    h("th", { scope: "col" }, h("span", { class: "offscreen" }, "Remove")));
  const texts = (row) => [...row.querySelectorAll("input")].map((input) => input.value.trim());
  return {
    node: h("div", { class: "field-editor" }, h("table", { "aria-label": "Headers" }, h("thead", {}, head), body), more),
    value: () => [...body.rows].map(texts).filter(([name]) => name),
  };
}

function rowOf(name, value, changed) {
  const note = h("span", { class: "quiet" });
  const tell = () => fill(note, REDACTED.test(second.value) ? "redacted before it was stored: not sent" : null);
  const first = h("input", { class: "mono", value: name, "aria-label": "Name", oninput: changed });
  const second = h("input", { class: "mono", value, "aria-label": "Value", oninput: () => {
    tell();
    changed();
  } });
  const remove = () => {
    row.remove();
    changed();
  };
  const button = h("button", { type: "button", class: "small", "aria-label": `Remove ${name || "this header"}`, onclick: remove }, "×");
  const row = h("tr", {}, h("td", {}, first), h("td", {}, second, note), h("td", {}, button));
  tell();
  return row;
}
