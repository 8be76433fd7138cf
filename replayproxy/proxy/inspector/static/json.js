// JSON read where it stands: nodes know from where to where in the text they reach, and read their members when asked.
//
// Nothing is turned into JavaScript's values: numbers keep their digits, repeated names stay, names keep their order. A
// text that is cut off is read as far as it goes. What is given has been found to be JSON, or to begin as JSON.

const QUOTE = 34, COMMA = 44, OPEN_LIST = 91, BACKSLASH = 92, CLOSE_LIST = 93, OPEN_OBJECT = 123, CLOSE_OBJECT = 125;
const KINDS = { '"': "string", "{": "object", "[": "array", t: "boolean", f: "boolean", n: "null" };

/** The whole of a text, a node: {kind, from, to, count, parent, name, closed, repeated}. */
export function readJson(text) {
  return read(text, skipSpace(text, text.charCodeAt(0) === 0xfeff ? 1 : 0), null, null);
}

/** Whether a text is JSON; the message of what is wrong with it when it is not, "" when nothing is. */
export function wrong(text) {
  try {
    JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
    return "";
  } catch (error) {
    return error.message;
  }
}

/** The members or items of a node, in their order. */
export function items(text, node) {
  node.items ??= node.kind === "object" || node.kind === "array" ? readItems(text, node) : [];
  return node.items;
}

/** The text that a string stands for. */
export function decoded(text, node) {
  return unquoted(text.slice(node.from, node.to), node.closed);
}

function read(text, from, parent, name) {
  const kind = KINDS[text[from]] ?? "number";
  const node = { kind, from, to: from, count: 0, parent, name, closed: true, repeated: false, items: null };
  if (kind === "string") node.to = endOfString(text, from, node);
  else if (kind === "object" || kind === "array") readContainer(text, node);
  else node.to = endOfScalar(text, from);
  return node;
}

function readContainer(text, node) {
  const first = text.charCodeAt(skipSpace(text, node.from + 1));
  let commas = 0;
  let depth = 0;
  const string = { closed: true };
  for (let at = node.from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at, string) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) depth++;
    else if (code === COMMA && depth === 1) commas++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && --depth === 0) {
      node.to = at + 1;
      break;
    }
  }
  if (node.to === node.from) {
    node.to = text.length;
    node.closed = false;
  }
  node.count = first === CLOSE_OBJECT || first === CLOSE_LIST || Number.isNaN(first) ? 0 : commas + 1;
}

function readItems(text, node) {
  const found = [];
  const names = new Set();
  const end = node.closed ? node.to - 1 : node.to;
  let at = skipSpace(text, node.from + 1);
  while (at < end) {
    let name = found.length;
    if (node.kind === "object") {
      const key = { closed: true };
      const to = endOfString(text, at, key);
      name = unquoted(text.slice(at, to), key.closed);
      at = skipSpace(text, skipSpace(text, to) + 1);
      if (!key.closed || at >= end) break; // cut off inside a name, or behind it
    }
    const item = read(text, at, node, name);
    item.repeated = node.kind === "object" && names.has(name);
    names.add(name);
    found.push(item);
    at = skipSpace(text, item.to);
    if (text.charCodeAt(at) !== COMMA) break;
    at = skipSpace(text, at + 1);
  }
  found.forEach((item, index) => (item.index = index));
  return found;
}

function skipSpace(text, at) {
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
    at++;
  }
}

function endOfString(text, from, node) {
  let end = from;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) {
      node.closed = false;
      return text.length;
    }
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
}

function endOfScalar(text, from) {
  let at = from;
  while (at < text.length && !",]} \n\r\t".includes(text[at])) at++;
  return Math.max(at, from + 1);
}

function unquoted(source, closed) {
  try {
    return JSON.parse(closed ? source : `${source.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, "")}"`);
  } catch {
    return source.slice(1);
  }
}
