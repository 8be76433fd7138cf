// Pictures and sound: from bytes to something to look at or to listen to, folded until somebody wants it.

import { h, size } from "./dom.js";

// What the first bytes tell, as Base64 begins; and what a browser may be given.
const BEGINS = [
  ["iVBORw0KGgo", "image/png"], ["/9j/", "image/jpeg"], ["R0lGOD", "image/gif"], ["UklGR", "riff"],
  ["SUQz", "audio/mpeg"], ["//v", "audio/mpeg"], ["T2dnU", "audio/ogg"], ["ZkxhQ", "audio/flac"],
];
const SHOWN = /^(image\/(png|jpeg|gif|webp|avif|bmp|x-icon|svg\+xml)|audio\/[\w.+-]+|video\/[\w.+-]+)$/;
const urls = new Set();

/** Bytes of Base64; null when it is none. */
export function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The media type that Base64 shows by its first bytes, "" when it shows none. */
export function sniffed(base64) {
  const found = BEGINS.find(([begin]) => base64.startsWith(begin));
  if (!found) return "";
  if (found[1] !== "riff") return found[1];
  const form = (bytesOf(base64.slice(0, 16)) ?? []).slice(8, 12);
  return { WEBP: "image/webp", WAVE: "audio/wav", "AVI ": "video/avi" }[String.fromCharCode(...form)] ?? "";
}

/** Whether a media type is one to look at or to listen to. */
export function showable(media) {
  return SHOWN.test(media);
}

/** An element that shows or plays the bytes, or null when their type is neither. */
export function player(bytes, media, name = "") {
  if (!SHOWN.test(media)) return null;
  const url = URL.createObjectURL(new Blob([bytes], { type: media }));
  urls.add(url);
  const failed = (event) => event.target.replaceWith(h("p", { class: "quiet" }, `These bytes are no ${media} that can be shown.`));
  const [kind] = media.split("/");
  if (kind === "image") return h("img", { src: url, alt: name || "the picture that was sent", class: "picture", onerror: failed });
  return h(kind, { src: url, controls: true, class: "player", "aria-label": name || `the ${kind} that was sent`, onerror: failed });
}

/** Lets go of all pictures and sounds that were made: called when a view is left. */
export function release() {
  for (const url of urls) URL.revokeObjectURL(url);
  urls.clear();
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?((?:;[\w.+-]+=[\w.+-]+)*);base64,/;

/** A folded picture or sound when a JSON string is one (a data: URL, or bare Base64), null otherwise. */
export function mediaIn(text) {
  const url = DATA_URL.exec(text.slice(0, 200));
  const base64 = url ? text.slice(url[0].length) : text;
  const media = url?.[1] ?? "";
  const told = SHOWN.test(media) ? media : base64.length > 200 ? sniffed(base64) : "";
  if (!told) return null;
  const box = h("div", { class: "media" });
  const bytes = Math.floor((base64.length * 3) / 4);
  const details = h("details", { class: "folded-media" },
    h("summary", { tabindex: "-1" }, h("span", { class: "string" }, url ? url[0] : "Base64"), ` ${told}, ${size(bytes)}`), box);
  details.addEventListener("toggle", () => {
    if (!details.open || box.firstChild) return;
    const held = bytesOf(base64);
    box.append(held ? player(held, told) : h("p", { class: "quiet" }, "This is no whole Base64."));
  });
  return details;
}

/** Gives bytes to the reader as a file. */
export function saveAs(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
