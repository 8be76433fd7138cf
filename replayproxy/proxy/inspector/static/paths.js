// Paths in the grammar of rules (core/differences.py writes the same ones): body.messages[3].content, body['a.b'].

const PLAIN = /^[A-Za-z0-9_-]+$/;
// What Python's repr escapes: controls, formats, halves of a pair, private and unknown ones, spaces but the plain one.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Zs}]/u;
const ESCAPES = { "\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The path of a member. */
export function namePath(path, name) {
  return PLAIN.test(name) ? `${path}.${name}` : `${path}[${quoted(name)}]`;
}

/** The path of an item, from 0. */
export function indexPath(path, index) {
  return `${path}[${index}]`;
}

function quoted(name) {
  const escaped = Array.from(name, (each) => ESCAPES[each] ?? (each !== " " && UNPRINTABLE.test(each) ? coded(each) : each));
  // What would end a plain scalar of YAML is escaped: the path can be pasted into a config file.
  return `'${escaped.join("").replaceAll(": ", ":\\x20").replaceAll(" #", "\\x20#")}'`;
}

function coded(character) {
  const code = character.codePointAt(0);
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/**
 * Follows the path of a problem (`messages[0].role`) into a tree: `{node, missing}`, the node it leads to, or the nearest
 * one on the way with the rest of the path. `itemsOf` gives the items of a node.
 */
export function follow(root, param, itemsOf) {
  let node = root;
  let rest = param;
  while (rest) {
    const next = step(node, rest, itemsOf);
    if (!next) return { node, missing: rest.replace(/^\./, "") };
    [node, rest] = next;
  }
  return { node, missing: "" };
}

function step(node, path, itemsOf) {
  const index = /^\[(\d+)\]/.exec(path);
  if (index && node.kind === "array") {
    const item = itemsOf(node)[Number(index[1])];
    return item && [item, path.slice(index[0].length)];
  }
  if (node.kind !== "object") return null;
  const rest = path.replace(/^\./, "");
  let best = null;
  for (const item of itemsOf(node)) {
    const behind = rest[item.name.length];
    const fits = rest.startsWith(item.name) && (behind === undefined || behind === "." || behind === "[");
    if (fits && item.name && (!best || item.name.length >= best.name.length)) best = item;
  }
  return best && [best, rest.slice(best.name.length)];
}
