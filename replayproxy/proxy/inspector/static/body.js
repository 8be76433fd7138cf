// A body, in the forms in which it can be looked at: as a tree, as parts, as a table, as a picture, raw.

import { copy, fill, h, size } from "./dom.js";
import { wrong } from "./json.js";
import { bytesOf, player, showable, sniffed } from "./media.js";
import { bytesView, downloadButton, formTable, hexView, partsView } from "./parts.js";
import { longText } from "./texts.js";
import { jsonTree } from "./tree.js";

const JSON_MEDIA = /[/+]json$/;

/**
 * A body of the admin API's form: `bodyView(body, {side: "response", address: "/exchanges/3/response/body", name,
 * problems, cut, texts})`. `texts` are the ones that the events of a stream make.
 */
export function bodyView(body, { side, address, name, problems = [], cut = false, texts = [] }) {
  if (!body.size) return h("p", { class: "quiet" }, "no body");
  if (body.file) return fileNote(body);
  const forms = formsOf(body, { problems, cut, texts });
  const shown = h("div", { class: "body-shown" });
  const choose = (at) => {
    fill(shown, forms[at].make());
    [...switches.children].forEach((each, index) => each.setAttribute("aria-pressed", String(index === at)));
  };
  const switches = h("span", { role: "group", "aria-label": `How the ${side}'s body is shown`, class: "switches" },
    forms.map((form, at) => h("button", { type: "button", class: "small", onclick: () => choose(at) }, form.name)));
  const media = h("bdi", { class: "quiet" }, body.media || "no media type", ", ", size(body.size));
  const copyText = body.text === undefined ? null
    : h("button", { type: "button", class: "small", onclick: () => copy(body.text, "Body copied") }, "Copy");
  const view = h("div", { class: "body-view" },
    h("div", { class: "body-tools" }, switches, media, copyText, downloadButton(address, name)),
    notices(body, forms, cut), shown);
  choose(0);
  return view;
}

function fileNote(body) {
  return h("p", {}, `${size(body.size)} of ${body.media || "bytes"}, too large to be kept in memory: they are in the file `,
    h("code", {}, body.file),
    " beside the cassette.");
}

function notices(body, forms, cut) {
  const told = [forms.notice];
  if (body.truncated) told.push(`Only the first ${size(shownSize(body))} are shown; the download has all of it.`);
  else if (cut) told.push("The end of this body is not known: only its beginning was kept.");
  return told.filter(Boolean).map((text) => h("p", { class: "notice" }, text));
}

function shownSize(body) {
  return body.text === undefined ? Math.floor((body.base64.length * 3) / 4) : new Blob([body.text]).size;
}

/** The forms a body has, the best one first: [{name, make}], and `.notice` when the best one cannot be had. */
function formsOf(body, { problems, cut, texts }) {
  const forms = [];
  const { text, base64 } = body;
  if (body.parts) forms.push({ name: "Parts", make: () => partsView(body.parts) });
  if (text === undefined) {
    const media = showable(body.media) ? body.media : sniffed(base64);
    if (media && !body.truncated && !cut) forms.push({ name: "Preview", make: () => bytesView(base64, media, body.size) });
    forms.push({ name: "Bytes", make: () => hexView(bytesOf(base64), body.size) });
    return forms;
  }
  if (body.media === "text/event-stream") {
    if (texts.length) forms.push({ name: "Text", make: () => texts.map((each) => foldedText(each)) });
  } else if (body.media === "application/x-www-form-urlencoded") forms.push({ name: "Fields", make: () => formTable(text) });
  else if (showable(body.media)) forms.push({ name: "Preview", make: () => player(new TextEncoder().encode(text), body.media) });
  else if (!body.parts) forms.notice = addTree(forms, body, problems, cut);
  forms.push({ name: "Raw", make: () => longText(text, "The body as it was sent") });
  return forms;
}

// The tree, when the body is JSON, or the beginning of some; else why it is none, if it should be.
function addTree(forms, { text, media, truncated }, problems, cut) {
  const should = JSON_MEDIA.test(media);
  const opens = /^[\s\ufeff]*[[{]/.test(text);
  if (!should && !opens) return "";
  const fault = wrong(text);
  if (fault && !(opens && (cut || truncated))) return should ? `This is no JSON: ${fault}` : "";
  if (!fault && !opens && !should) return "";
  forms.push({ name: "Tree", make: () => jsonTree(text, { problems }) });
  return "";
}

function foldedText({ kind, of, text }) {
  return h("div", { class: "folded" }, h("h4", {}, kind, " ", h("span", { class: "quiet" }, of)), longText(text, `${kind} of ${of}`));
}
