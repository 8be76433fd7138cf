// Finding text in JSON without taking it apart: the source is searched, then the places found are led back to nodes.

import { items } from "./json.js";

const AT_MOST = 1000;

/** The nodes whose name or value has the text, in their order, each once; `.more` says that there are more. */
export function matches(text, root, query) {
  const found = [];
  const pattern = new RegExp([...query].map(spelled).join(""), "giu");
  for (const match of text.matchAll(pattern)) {
    const node = nodeAt(text, root, match.index);
    if (!node || node === found.at(-1)) continue;
    if (found.length === AT_MOST) {
      found.more = true;
      break;
    }
    found.push(node);
  }
  return found;
}

// A character as it may be written in JSON: as it is, or escaped, in either case.
function spelled(character) {
  const as = new Set([written(JSON.stringify(character).slice(1, -1))]);
  for (const each of [character, character.toLowerCase(), character.toUpperCase()]) as.add(escaped(each));
  if (character === "/") as.add("\\\\/");
  return `(?:${[...as].join("|")})`;
}

function escaped(text) {
  return [...Array(text.length).keys()].map((at) => `\\\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
}

function written(plain) {
  return plain.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

// The scalar or the named member in which a place lies; null for brackets, commas and space.
function nodeAt(text, root, place) {
  let node = root;
  for (;;) {
    if (node.kind !== "object" && node.kind !== "array") return node;
    const held = items(text, node);
    const next = lastBefore(held, place);
    if (next && place < next.to) {
      node = next;
      continue;
    }
    if (node.kind !== "object") return null;
    const named = held[next ? next.index + 1 : 0];
    const quote = named ? text.indexOf('"', next ? next.to : node.from + 1) : -1;
    return quote >= 0 && place > quote && place < nameEnd(text, named) ? named : null;
  }
}

function lastBefore(held, place) {
  let low = 0;
  let high = held.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (held[middle].from <= place) low = middle + 1;
    else high = middle - 1;
  }
  return held[high];
}

// Where the quote behind a member's name is: before the colon that stands before its value.
function nameEnd(text, member) {
  return text.lastIndexOf('"', text.lastIndexOf(":", member.from - 1));
}
