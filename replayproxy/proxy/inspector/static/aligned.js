// Two messages' bodies and headers as aligned rows: what is the same stands beside itself, what differs beside its like.
//
// A row is {left, right, kind, path, first}: both texts (null: not there), `same`, `changed`, `removed` or `added`, the
// path in the grammar of rules, and whether it is the first row of its difference. The path is that of the server's.

import { indexPath, namePath } from "./paths.js";
import { runs } from "./words.js";

const ABSENT = Symbol("absent");
const JSON_MEDIA = /[/+]json$/;
const FORM = "application/x-www-form-urlencoded";
const MOST_ROWS = 30_000;

/** A number as it was spelled. */
class Spelled {
  constructor(source) {
    this.source = source;
  }
}

/** The rows of two bodies; a side is a message of the admin API (`{headers, body, events}`), or null. */
export function bodyRows(left, right) {
  const [one, other] = [shape(left), shape(right)];
  if (one.lines || other.lines) return lineRows(text(one), text(other));
  const root = one.root ?? other.root ?? "body";
  if (one.root && other.root && one.root !== other.root) return lineRows(text(one), text(other));
  const rows = [];
  walk(rows, "", one.value, other.value, root, 0);
  if (rows.length > MOST_ROWS) {
    rows.length = MOST_ROWS;
    rows.push({ left: "… the rest is not shown", right: "… the rest is not shown", kind: "same", path: "", first: false });
  }
  return rows;
}

/** The rows of two lists of fields; names compare without regard to case, and are sorted. */
export function fieldRows(left, right, root = "header") {
  const [one, other] = [grouped(left), grouped(right)];
  const rows = [];
  for (const name of [...new Set([...one.keys(), ...other.keys()])].sort()) {
    const [old, fresh] = [one.get(name), other.get(name)].map((values) => values?.map((value) => `${name}: ${value}`).join("\n") ?? null);
    if (old === fresh) rows.push({ left: old, right: fresh, kind: "same", path: namePath(root, name), first: false });
    else put(rows, lined(old, 0), lined(fresh, 0), namePath(root, name));
  }
  return rows;
}

function grouped(fields) {
  const found = new Map();
  for (const [name, value] of fields ?? []) found.set(name.toLowerCase(), [...(found.get(name.toLowerCase()) ?? []), value]);
  return found;
}

// -- what a body is

function shape(message) {
  const body = message?.body;
  if (!body?.size) return { value: ABSENT };
  if (message.events) return { root: "body.events", value: message.events.map(eventFacts), source: body };
  if (body.parts) return { root: "body.parts", value: body.parts.map(partFacts), source: body };
  if (body.text !== undefined && !body.truncated) {
    if (JSON_MEDIA.test(body.media)) {
      const value = parsed(body.text);
      if (value !== ABSENT) return { root: "body", value, source: body };
    }
    if (body.media === FORM) return { root: "body", value: formFacts(body.text), source: body };
  }
  return { lines: true, source: body };
}

function eventFacts({ event, id, data }) {
  const value = parsed(data ?? "");
  return { ...(event ? { event } : {}), ...(id ? { id } : {}), data: value === ABSENT ? data ?? "" : value };
}

function partFacts({ name, filename, media, text, base64 }) {
  const facts = { name, filename, "content-type": media, content: text ?? (base64 === undefined ? undefined : `${base64} (base64)`) };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== ""));
}

function formFacts(text) {
  const found = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) found[name] = name in found ? [].concat(found[name], value) : value;
  return found;
}

function parsed(text) {
  try {
    return JSON.parse(text, (_, value, context) => (typeof value === "number" ? new Spelled(context?.source ?? String(value)) : value));
  } catch {
    return ABSENT;
  }
}

function text({ source }) {
  if (!source) return "";
  if (source.file) return `(${source.size} bytes in the file ${source.file})`;
  const told = `(${source.size} bytes of ${source.media || "no media type"}, as base64)`;
  return source.text ?? `${told}\n${source.base64.replace(/.{1,76}/g, "$&\n")}`;
}

// -- values side by side

function isList(value) {
  return Array.isArray(value);
}

function isObject(value) {
  return value !== null && typeof value === "object" && !isList(value) && !(value instanceof Spelled);
}

function walk(rows, label, left, right, path, depth) {
  if (rows.length > MOST_ROWS) return;
  if (isObject(left) && isObject(right)) {
    const names = [...Object.keys(left), ...Object.keys(right).filter((name) => !Object.hasOwn(left, name))];
    const inside = (name) => [JSON.stringify(name) + ": ", member(left, name), member(right, name), namePath(path, name)];
    around(rows, label, "{", "}", depth, names.map(inside));
  } else if (isList(left) && isList(right)) {
    const indexes = Array.from({ length: Math.max(left.length, right.length) }, (_, index) => index);
    const inside = (index) => ["", index in left ? left[index] : ABSENT, index in right ? right[index] : ABSENT, indexPath(path, index)];
    around(rows, label, "[", "]", depth, indexes.map(inside));
  } else if (left !== ABSENT && right !== ABSENT && sameScalar(left, right)) {
    const [one, other] = [left, right].map((value) => pad(depth) + label + literal(value));
    rows.push({ left: one, right: other, kind: "same", path, first: false });
  } else {
    put(rows, written(label, left, depth), written(label, right, depth), path);
  }
}

function around(rows, label, open, close, depth, members) {
  const line = (end) => ({ ...pair(pad(depth) + end, pad(depth) + end), kind: "same", path: "", first: false });
  if (!members.length) return rows.push(line(label + open + close));
  rows.push(line(label + open));
  for (const [name, left, right, path] of members) walk(rows, name, left, right, path, depth + 1);
  return rows.push(line(close));
}

function member(value, name) {
  return Object.hasOwn(value, name) ? value[name] : ABSENT;
}

function sameScalar(left, right) {
  if (left instanceof Spelled && right instanceof Spelled) return left.source === right.source || sameNumber(left.source, right.source);
  return left === right && !isObject(left) && !isList(left);
}

// 1 and 1.0 are equal; whole numbers that a double cannot hold are compared digit by digit.
function sameNumber(left, right) {
  return Number(left) === Number(right) && (Math.abs(Number(left)) <= Number.MAX_SAFE_INTEGER || /[.e]/i.test(left + right));
}

function literal(value) {
  return value instanceof Spelled ? value.source : JSON.stringify(value);
}

/** The lines of one value; null when it is not there. */
function written(label, value, depth) {
  if (value === ABSENT) return null;
  const rows = [];
  if (isObject(value) || isList(value)) walk(rows, label, value, value, "", depth);
  else rows.push({ left: pad(depth) + label + literal(value) });
  return rows.map((row) => row.left);
}

function lined(text) {
  return text === null ? null : text.split("\n");
}

function put(rows, left, right, path) {
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  for (let at = 0; at < length; at++) {
    const [one, other] = [left?.[at] ?? null, right?.[at] ?? null];
    rows.push({ left: one, right: other, kind: one === null ? "added" : other === null ? "removed" : "changed", path, first: at === 0 });
  }
}

function pair(left, right) {
  return { left, right };
}

function pad(depth) {
  return "  ".repeat(depth);
}

// -- lines side by side

function lineRows(left, right) {
  const rows = [];
  for (const { same, left: old, right: fresh } of runs(left ? left.split("\n") : [], right ? right.split("\n") : [])) {
    if (same) old.forEach((line, at) => rows.push({ left: line, right: fresh[at], kind: "same", path: "", first: false }));
    else put(rows, old, fresh, "body");
  }
  return rows.slice(0, MOST_ROWS);
}
