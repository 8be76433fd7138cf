// Text as it is shown: what would hide or mislead is made visible, what was redacted is marked.

import { h } from "./dom.js";

const PLACEHOLDER = "redacted\\.(?:(?:org|proj)\\.[0-9a-f]{8}|[a-z][a-z-]{0,30}[a-z])";
// Controls, what turns the direction of text, what has no width, tags nobody sees, halves of a pair.
const HIDDEN =
  "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e" +
  "\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb]" +
  "|[\\u{e0000}-\\u{e007f}]|\\p{Cs}";
const MARKED = new RegExp(`(?<redacted>${PLACEHOLDER})|${HIDDEN}`, "gu");
const SHORT = { "\r": "\\r", "\b": "\\b", "\f": "\\f" };

/** Children for `h`: the text, its placeholders marked as redacted, its hidden characters written as escapes. */
export function marked(text) {
  const children = [];
  let last = 0;
  for (const found of text.matchAll(MARKED)) {
    children.push(text.slice(last, found.index));
    children.push(found.groups.redacted ? redacted(found[0]) : escape(found[0]));
    last = found.index + found[0].length;
  }
  children.push(text.slice(last));
  return children;
}

function redacted(text) {
  return h("span", { class: "redacted", title: "redacted before it was stored" }, text);
}

function escape(character) {
  const code = character.codePointAt(0).toString(16);
  const written = SHORT[character] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`);
  return h("span", { class: "escape", title: "a character that would not be seen" }, written);
}

/** One line of a text: line ends as ⏎, no longer than `limit` characters. */
export function line(text, limit = 160) {
  const short = text.slice(0, between(text, limit)).replace(/\r\n|\r|\n/g, "⏎");
  return marked(text.length > limit ? `${short}…` : short);
}

/** A number with its thousands apart. */
export function count(number) {
  return number.toLocaleString("en-GB");
}

/** "1 event", "2 events". */
export function many(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
}

/** Where to cut a text at about `at`: not inside a character. */
export function between(text, at) {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

const PIECE = 100_000;
const PIECES = 20;

/**
 * A long text in a box, in pieces: the first ones now, the rest when asked for, so that a body of some megabytes does
 * not hold up the page.
 */
export function longText(text, label, first = 1) {
  const box = h("div", { class: "long-text", role: "group", "aria-label": label });
  let shown = 0;
  const more = h("button", { onclick: () => add(PIECES) });
  const add = (pieces) => {
    more.remove();
    for (let each = 0; each < pieces && shown < text.length; each++) {
      const end = cutAt(text, shown + PIECE);
      box.append(h("pre", { class: "piece" }, marked(text.slice(shown, end))));
      shown = end;
    }
    if (shown < text.length) {
      more.textContent = `Show more (${count(text.length - shown)} characters left)`;
      box.append(more);
    }
  };
  add(first);
  return box;
}

// Behind a line's end when there is one near: each piece is a block of its own.
function cutAt(text, at) {
  if (at >= text.length) return text.length;
  const end = text.lastIndexOf("\n", at);
  return end > at - 10_000 && end > 0 ? end + 1 : between(text, at);
}
