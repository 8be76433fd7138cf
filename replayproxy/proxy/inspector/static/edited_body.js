// The body of a request that is edited: text as text, a form by the parts that are text, and all else as it was.

import { blob } from "./api.js";
import { codeBox, formatted } from "./codebox.js";
import { announce, fill, h, size } from "./dom.js";
import { bytesOf } from "./media.js";
import { marked } from "./texts.js";

const ENCODER = new TextEncoder();

/**
 * The editor of a body of the admin API's form (null: none); `address` is where all of its bytes are. Gives `{node,
 * body(headers), box}`: `body` is what `POST /send` takes, `box` the code box of a text (null for others).
 */
export async function bodyEditor(body, address, changed) {
  if (body?.parts && !body.truncated && body.parts.every((part) => !part.truncated)) return partsEditor(body, changed);
  if (body?.file) {
    const told = `${size(body.size)} of ${body.media || "bytes"} are in the file ${body.file}: sent without a body.`;
    return asItWas(told, {});
  }
  if (!body?.size || body.text !== undefined) {
    return textEditor(body?.truncated ? await (await blob(address)).text() : body?.text ?? "", changed);
  }
  const base64 = body.truncated ? toBase64(new Uint8Array(await (await blob(address)).arrayBuffer())) : body.base64;
  return asItWas(`${size(body.size)} of ${body.media || "bytes"} that are no text: sent as it was.`, { base64 });
}

function textEditor(text, changed) {
  const box = codeBox({ label: "Body", value: text, rows: 16, oninput: () => changed() });
  const format = h("button", { type: "button", class: "small", onclick: () => {
    try {
      box.value = formatted(box.value);
    } catch (error) {
      announce(`This is no JSON: ${error.message}`);
    }
  } }, "Format JSON");
  return { node: h("div", {}, box.node, h("p", { class: "body-tools" }, format)), box, body: () => (box.value ? { text: box.value } : {}) };
}

function asItWas(told, body) {
  let kept = body;
  const node = h("div", { class: "as-it-was" });
  const without = h("button", { type: "button", class: "small", onclick: () => {
    kept = {};
    fill(node, h("p", { class: "notice" }, "Sent without a body."));
  } }, "Send without it");
  fill(node, h("p", { class: "notice" }, told), body.base64 ? without : null);
  return { node, box: null, body: () => kept };
}

function partsEditor(body, changed) {
  const rows = (text) => Math.min(8, text.split("\n").length + 1);
  const boxFor = ({ text }) => codeBox({ label: "Content", value: text, rows: rows(text), oninput: () => changed() });
  const parts = body.parts.map((part) => ({ part, box: part.text === undefined ? null : boxFor(part) }));
  const shown = ({ part, box }) => h("section", { class: "part", "aria-label": `Part ${part.name ?? ""}` },
    h("h4", {}, marked(part.name ?? "(no name)"), part.filename ? [" – ", marked(part.filename)] : null,
      h("span", { class: "quiet" }, ` ${part.media || ""} ${size(part.size)}`)),
    box ? box.node : h("p", { class: "notice" }, "no text: sent as it was"));
  return {
    node: h("div", { class: "parts-edited" },
      h("p", { class: "quiet" }, "A body of several parts; those that are text can be edited."), parts.map(shown)),
    box: null,
    body: (headers) => ({ base64: toBase64(assembled(parts, boundaryOf(headers))) }),
  };
}

function boundaryOf(headers) {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  const found = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  return found?.[1] ?? found?.[2] ?? "";
}

function assembled(parts, boundary) {
  const pieces = [];
  for (const { part, box } of parts) {
    const head = (part.headers ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    pieces.push(ENCODER.encode(`--${boundary}\r\n${head}\r\n`));
    pieces.push(box ? ENCODER.encode(box.value === part.text.replace(/\r\n?/g, "\n") ? part.text : box.value) : bytesOf(part.base64 ?? ""));
    pieces.push(ENCODER.encode("\r\n"));
  }
  pieces.push(ENCODER.encode(`--${boundary}--\r\n`));
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Bytes as base64. */
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
