// One exchange or interaction: its head, what can be done with it, and its two messages side by side.

import { bodyView } from "./body.js";
import { pathInFolder } from "./cassette_paths.js";
import { duration, fill, h, size } from "./dom.js";
import { compareButton } from "./compare.js";
import { fieldTable } from "./parts.js";
import { WORDS } from "./rows.js";
import { streamView } from "./stream.js";
import { tabs } from "./tabs.js";
import { count, line, marked } from "./texts.js";
import { timingView } from "./timing.js";
import { problemNote } from "./tree.js";

/**
 * The view of a detail: `{node, update(detail), add(told), compare()}`. `what` is {kind: "exchange", number} or {kind:
 * "interaction", path, number}. `update` shows another state of the same one, `add` what its feed tells of its events.
 */
export function detailView(what, { around = [], pages = () => [] } = {}) {
  return new Detail(what, around, pages);
}

class Detail {
  constructor(what, around, pages) {
    this.what = what;
    this.pages = pages;
    this.address = what.kind === "exchange" ? `/exchanges/${what.number}`
      : `/cassettes/${encodeURIComponent(what.path)}/interactions/${what.number}`;
    this.reference = what.kind === "exchange" ? `exchange:${what.number}` : `${what.path}#${what.number}`;
    this.head = h("header", { class: "detail-head" });
    this.actions = h("div", { class: "buttons actions", role: "group", "aria-label": "Actions" });
    this.miss = h("div", { class: "miss-place" });
    this.request = tabs("Request", [{ id: "none", name: "Body", make: () => null }]);
    this.response = tabs("Response", [{ id: "none", name: "Body", make: () => null }]);
    const side = (name, panes) => h("section", { class: "side", "aria-label": name }, h("h3", {}, name), panes);
    const neighbours = h("nav", { "aria-label": "Neighbours", class: "buttons" }, around);
    this.node = h("div", { class: "detail" }, h("div", { class: "detail-top" }, neighbours, this.head),
      this.actions, this.miss, h("div", { class: "sides" }, side("Request", this.request), side("Response", this.response)));
  }

  async update(detail) {
    const first = !this.detail;
    const ended = first || this.detail.outcome !== detail.outcome;
    this.detail = detail;
    fill(this.head, headOf(detail, this.what));
    if (detail.cassette) linkCassette(this.head, detail);
    this.request.update(this.requestPages(detail));
    this.response.update(this.responsePages(detail));
    if (ended) await Promise.all([this.showMiss(detail), this.showActions(detail)]);
  }

  /** What the feed tells: more events. */
  add(told) {
    this.stream?.add(told);
  }

  compare() {
    this.compareButton?.click();
  }

  requestPages(detail) {
    const { request } = detail;
    return [
      { id: "body", name: "Body", note: size(request.body.size), keep: true, make: () => this.body("request", request.body, {}) },
      { id: "headers", name: "Headers", note: count(request.headers.length), keep: true,
        make: () => fieldTable(request.headers, "Headers of the request") },
      problemPage(detail, "request"),
      ...this.pages(detail),
    ];
  }

  responsePages(detail) {
    const { response } = detail;
    const timing = { id: "timing", name: "Timing", note: duration(detail.seconds), make: () => timingView(detail) };
    if (!response) {
      const told = detail.outcome === "under_way" ? "No answer yet." : "No answer is known.";
      return [{ id: "body", name: "Body", make: () => h("p", { class: "quiet" }, told) }, timing, problemPage(detail, "response")];
    }
    if (response.events && this.stream) this.stream.end(detail);
    else if (response.events) this.stream = streamView(detail);
    const live = detail.outcome === "under_way";
    return [
      response.events
        ? { id: "events", name: "Events", note: live ? "live" : count(response.events.length), keep: true, make: () => this.stream.node }
        : null,
      { id: "body", name: "Body", note: live ? "" : size(response.body.size),
        make: () => this.body("response", response.body, { cut: response.cut, texts: response.texts }) },
      { id: "headers", name: "Headers", note: count(response.headers.length), make: () => headersOf(response) },
      timing,
      problemPage(detail, "response"),
    ];
  }

  body(side, body, more) {
    const problems = this.detail.problems.filter((each) => each.side === side && !each.event && each.param)
      .map((each) => ({ ...each, elsewhere: side === "request" && isOutside(each.param, this.detail.request) }));
    const name = `${this.what.kind}-${this.what.number}-${side}.bin`;
    return bodyView(body, { side, problems, address: `${this.address}/${side}/body`, name, ...more });
  }

  async showMiss(detail) {
    const { missPanel } = detail.miss ? await optional("./miss.js") : {};
    fill(this.miss, missPanel?.(detail) ?? null);
  }

  async showActions(detail) {
    const [{ copyMenu }, { saveButton }] = await Promise.all([optional("./copying.js"), optional("./saving.js")]);
    this.compareButton = compareButton(this.reference);
    const { kind, number } = this.what;
    const edit = kind === "exchange" ? h("a", { class: "button", href: `#/exchanges/${number}/edit` }, "Edit and resend") : null;
    fill(this.actions, copyMenu?.(this.what) ?? null, edit, this.compareButton, saveButton?.(detail, this.what) ?? null);
  }
}

// A module that may not be there: without it, what it would add is missing, and the rest is as useful.
async function optional(module) {
  try {
    return await import(module);
  } catch {
    return {};
  }
}

// Whether a problem's path begins with a parameter of the query or a header, which are not in the body.
function isOutside(param, request) {
  const [, query = ""] = request.target.split("?");
  const first = /^[^.[]+/.exec(param)?.[0] ?? "";
  return new URLSearchParams(query).has(first) || request.headers.some(([name]) => name.toLowerCase() === first.toLowerCase());
}

function problemPage(detail, side) {
  const held = detail.problems.filter((each) => each.side === side);
  if (!held.length) return null;
  const tone = held.some((each) => !each.warning) ? "bad" : "warn";
  const make = () => h("ul", { class: "problem-list" }, held.map((each) => h("li", {},
    problemNote(each),
    h("p", { class: "quiet" }, each.param ? h("code", {}, marked(each.param)) : null,
      each.event ? ` event ${each.event}` : "", each.code ? ` (${each.code})` : ""))));
  return { id: "problems", name: "Problems", note: count(held.length), tone, make };
}

function headersOf(response) {
  return [
    h("p", { class: "quiet" }, `${response.status} `, marked(response.reason),
      response.coding ? `, ${response.coding} was undone for what is shown here` : ""),
    fieldTable(response.headers, "Headers of the answer"),
  ];
}

// -- the head

function headOf(detail, what) {
  const badges = [
    detail.outcome ? h("span", { class: `badge ${detail.outcome}` }, WORDS[detail.outcome] ?? detail.outcome) : null,
    detail.status ? h("span", { class: `badge ${detail.status >= 400 ? "bad" : "good"}` }, detail.status) : null,
    detail.fault ? h("span", { class: "badge warn" }, "fault: ", line(detail.fault)) : null,
  ];
  return [
    h("h2", {}, h("span", { class: "quiet" }, `#${what.number} `), h("span", { class: "method" }, marked(detail.method)), " ",
      h("bdi", { class: "target" }, marked(detail.target))),
    h("p", { class: "badges" }, badges, facts(detail)),
    // Why it missed is what the panel below tells.
    detail.note && !detail.miss
      ? h("p", { class: "note-text", tabindex: "0", role: "group", "aria-label": "Note" }, marked(detail.note))
      : null,
  ];
}

function facts(detail) {
  const { tokens } = detail;
  const told = [
    detail.operation ? h("code", {}, detail.operation) : null,
    detail.session ? sessionLink(detail.session) : null,
    detail.cassette
      ? h("span", { class: "from-cassette" }, h("bdi", {}, line(detail.cassette, 80)), detail.interaction ? ` #${detail.interaction}` : "")
      : null,
    detail.model ? h("bdi", {}, line(detail.model, 60)) : null,
    tokens ? h("span", { title: tokenTitle(tokens) }, `${count(tokens.input)} → ${count(tokens.output)} tokens`) : null,
    detail.seconds ? duration(detail.seconds) : null,
  ];
  return told.filter(Boolean).map((each) => h("span", { class: "fact" }, each));
}

function tokenTitle({ input, cached, output, reasoning, total }) {
  const part = (number, name) => (number ? ` (${number} ${name})` : "");
  return `input ${input}${part(cached, "cached")}, output ${output}${part(reasoning, "reasoning")}, ${total} in all`;
}

function sessionLink(name) {
  const filter = `session:${quotedTerm(name)}`;
  return h("a", { href: `#/?filter=${encodeURIComponent(filter)}` }, "session ", h("bdi", {}, line(name, 60)));
}

function quotedTerm(text) {
  return /^[\w.-]+$/.test(text) ? text : JSON.stringify(text);
}

async function linkCassette(head, detail) {
  const place = head.querySelector(".from-cassette");
  // An interaction's is told from the folder, an exchange's from where the proxy runs. Without the folder: no link.
  const path = detail.session ? await pathInFolder(detail.cassette).catch(() => null) : detail.cassette;
  if (path === null) return;
  const href = `#/cassettes/${encodeURIComponent(path)}${detail.interaction ? `/interactions/${detail.interaction}` : ""}`;
  place.replaceChildren(h("a", { href }, [...place.childNodes]));
}
