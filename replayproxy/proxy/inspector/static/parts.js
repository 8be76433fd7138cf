// Bodies that are no JSON: the parts of a multipart body, forms, pictures and sound, bytes.

import { blob } from "./api.js";
import { fill, h, size } from "./dom.js";
import { wrong } from "./json.js";
import { bytesOf, player, saveAs, showable, sniffed } from "./media.js";
import { line, longText, many, marked } from "./texts.js";
import { jsonTree } from "./tree.js";

const HEAD = 512; // bytes of the head of a binary body that are shown

/** The parts of a multipart body, one below the other. */
export function partsView(parts, path = "body") {
  if (!parts.length) return h("p", { class: "quiet" }, "A multipart body without parts.");
  return h("div", { class: "parts" }, parts.map((part, index) => partView(part, `${path}.parts[${index}]`)));
}

function partView(part, path) {
  const facts = [part.filename, part.media, size(part.size)].filter(Boolean);
  return h("article", { class: "part", "aria-label": `part ${part.name ?? "without a name"}` },
    h("h4", {}, h("bdi", { class: "name" }, line(part.name ?? "(no name)")), " ",
      h("span", { class: "quiet" }, facts.map((fact, at) => [at ? " · " : "", h("bdi", {}, line(fact))]))),
    h("details", {}, h("summary", {}, many(part.headers.length, "header")), fieldTable(part.headers, "Headers of the part")),
    partBody(part, path));
}

function partBody(part, path) {
  const media = part.media || (part.base64 ? sniffed(part.base64) : "");
  const cut = part.truncated ? h("p", { class: "quiet" }, "Only the beginning is shown.") : null;
  const keep = () => saveAs(new Blob([part.base64 ? bytesOf(part.base64) : (part.text ?? "")], { type: "application/octet-stream" }),
    part.filename || part.name || "part.bin");
  const save = part.truncated || !part.size ? null : h("button", { type: "button", class: "small", onclick: keep }, "Download");
  if (part.text !== undefined && showable(media) && !part.truncated) return [player(new TextEncoder().encode(part.text), media), save];
  if (part.text !== undefined) {
    const json = /^\s*[[{]/.test(part.text) && !wrong(part.text);
    return [json ? jsonTree(part.text, { root: path }) : longText(part.text, "Text of the part"), cut, save];
  }
  if (!part.base64) return h("p", { class: "quiet" }, "empty");
  return [bytesView(part.base64, media, part.size), cut, save];
}

/** Bytes: a picture or sound when they are one, else their head in hexadecimal. */
export function bytesView(base64, media, whole) {
  const bytes = bytesOf(base64);
  if (!bytes) return h("p", { class: "quiet" }, "These bytes cannot be read.");
  return player(bytes, showable(media) ? media : sniffed(base64)) ?? hexView(bytes, whole);
}

/** The head of some bytes: place, hexadecimal, and what of it is plain text. */
export function hexView(bytes, whole = bytes.length) {
  const rows = [];
  for (let at = 0; at < Math.min(bytes.length, HEAD); at += 16) {
    const row = [...bytes.slice(at, at + 16)];
    const hex = row.map((each) => each.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    const text = row.map((each) => (each > 31 && each < 127 ? String.fromCharCode(each) : "·")).join("");
    rows.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${text}`);
  }
  const rest = whole - Math.min(bytes.length, HEAD);
  return h("div", { class: "hex" }, h("pre", { tabindex: "0", role: "group", "aria-label": "The first bytes" }, rows.join("\n")),
    rest > 0 ? h("p", { class: "quiet" }, `and ${size(rest)} more`) : null);
}

/** A form's fields (application/x-www-form-urlencoded). */
export function formTable(text) {
  return fieldTable([...new URLSearchParams(text)], "Fields of the form");
}

/** Names and values as a table. */
export function fieldTable(fields, label) {
  if (!fields.length) return h("p", { class: "quiet" }, "none");
  return h("div", { class: "fields" }, h("table", { "aria-label": label },
    h("thead", { class: "offscreen" }, h("tr", {}, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Value"))),
    h("tbody", {}, fields.map(([name, value]) =>
      h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, marked(name))), h("td", {}, h("bdi", {}, marked(value))))))));
}

/** A button that gives a body as a file; `path` is where the admin API has it. */
export function downloadButton(path, name) {
  const failed = h("span", { class: "bad-text" });
  const keep = async () => {
    fill(failed);
    try {
      saveAs(await blob(path), name);
    } catch (error) {
      fill(failed, h("span", { role: "alert" }, error.message));
    }
  };
  return h("span", {}, h("button", { type: "button", class: "small", onclick: keep }, "Download"), " ", failed);
}
