// A field for code: lines are numbered, some of them can be marked, and the cursor can be sent to one.

import { fill, h } from "./dom.js";

const NUMBERED = 5000; // lines; more are counted, not numbered
let made = 0;

/** `codeBox({label, value, rows, oninput})` gives `{node, area, value, goTo(line, column), mark(lines)}`. */
export function codeBox({ label, value = "", rows = 14, oninput = () => {} }) {
  const id = `code-${++made}`;
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const area = h("textarea", { id, rows, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", value });
  let marks = new Set();
  let lines = 0;
  const number = () => {
    lines = Math.min(area.value.split("\n").length, NUMBERED);
    fill(gutter, Array.from({ length: lines }, (_, at) => h("div", { class: marks.has(at + 1) ? "marked" : null }, at + 1)));
  };
  area.addEventListener("input", () => {
    if (Math.min(area.value.split("\n").length, NUMBERED) !== lines) number();
    oninput(area.value);
  });
  area.addEventListener("scroll", () => (gutter.style.transform = `translateY(${-area.scrollTop}px)`));
  number();
  area.setSelectionRange(0, 0);
  return {
    node: h("div", { class: "code-box" }, h("label", { for: id, class: "code-label" }, label),
      h("div", { class: "code-lines" }, h("div", { class: "gutter-box" }, gutter), area)),
    area,
    get value() {
      return area.value;
    },
    set value(text) {
      area.value = text;
      number();
      oninput(text);
    },
    mark(wanted) {
      marks = new Set(wanted);
      number();
    },
    goTo(line, column = 1) {
      const before = area.value.split("\n").slice(0, line - 1);
      const start = before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
      const end = area.value.indexOf("\n", start);
      area.focus();
      area.setSelectionRange(start, end < 0 ? area.value.length : end);
      area.scrollTop = Math.max(0, (line - 4) * (area.scrollHeight / Math.max(1, area.value.split("\n").length)));
    },
  };
}

/** JSON laid out for people; numbers keep their digits. Throws SyntaxError for what is none. */
export function formatted(text) {
  const keep = (_, value, context) => (typeof value === "number" && context?.source && JSON.rawJSON ? JSON.rawJSON(context.source) : value);
  return JSON.stringify(JSON.parse(text, keep), null, 2);
}
