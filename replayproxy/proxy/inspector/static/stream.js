// A stream: the text its events make, the pace at which they came, and each of them at its time.

import { copy, duration, fill, h, size } from "./dom.js";
import { eventRows } from "./stream_rows.js";
import { strip } from "./strip.js";
import { between, count, many, marked } from "./texts.js";

const FOLDED = 4000; // characters of a text that are shown at first
const GAP = 0.25; // seconds; a shorter stop is none, whatever the pace

/**
 * The view of a stream: `{node, add(told), end(detail)}`. `add` takes what the exchange's feed tells ({events, texts,
 * size}), `end` the detail when nothing more comes.
 */
export function streamView(detail) {
  const view = new Stream();
  view.take(detail.response.events ?? [], detail.response.texts ?? [], detail.response.body.size, detail);
  return view;
}

class Stream {
  constructor() {
    this.events = [];
    this.texts = new Map();
    this.strip = strip();
    this.facts = h("p", { class: "stream-facts" });
    this.made = h("div", { class: "made" });
    this.rows = eventRows();
    this.state = h("span", { class: "badge" });
    this.follow = h("input", { type: "checkbox" });
    this.node = h("div", { class: "stream" }, this.facts, this.strip.node, this.made,
      h("div", { class: "stream-tools" }, h("h3", {}, "Events"), this.state,
        h("label", {}, this.follow, " scroll to new events"),
        h("button", { type: "button", class: "small", onclick: () => this.copyAll() }, "Copy all")),
      this.rows.node);
  }

  /** What the feed tells of a stream under way. */
  add({ events, texts, size: bytes }) {
    this.take(events, texts, bytes, this.detail, true);
  }

  /** The whole, when nothing more comes; what was shown stays as it was. */
  end(detail) {
    const events = detail.response?.events ?? [];
    this.take(events.slice(this.events.length), detail.response?.texts ?? [], detail.response?.body.size ?? 0, detail);
  }

  take(events, texts, bytes, detail, live = false) {
    this.detail = detail;
    this.live = detail.outcome === "under_way";
    const known = this.events.length;
    for (const event of events) {
      const last = this.events.at(-1);
      event.gap = event.at === null || !last || last.at === null ? null : Math.max(0, event.at - last.at);
      this.events.push(event);
    }
    this.findGaps();
    this.rows.show(this.events, known, this.longest, detail.problems.filter((each) => each.side === "response" && each.event));
    this.tell(bytes);
    this.fold(texts);
    this.strip.draw(this.events, this.longest && { from: this.longest.at - this.longest.gap, to: this.longest.at });
    if (live && this.follow.checked) this.rows.toEnd();
  }

  // A gap is a stop that is long beside the usual pace; the longest is told even when it is none.
  findGaps() {
    const gaps = this.events.filter((event) => event.gap !== null).map((event) => event.gap).sort((one, other) => one - other);
    const usual = gaps[gaps.length >> 1] ?? 0;
    this.longest = null;
    for (const event of this.events) {
      if (event.gap !== null && event.gap > (this.longest?.gap ?? 0)) this.longest = event;
      event.stop = event.gap !== null && event.gap >= Math.max(GAP, usual * 4);
    }
  }

  tell(bytes) {
    const { events, longest, detail } = this;
    const timed = events.filter((event) => event.at !== null);
    const span = timed.length > 1 ? timed.at(-1).at - timed[0].at : 0;
    const characters = events.reduce((sum, event) => sum + (event.delta?.length ?? 0), 0);
    const pace = (number) => (span > 0 ? `${count(Math.round((number / span) * 10) / 10)}/s` : "");
    const tokens = detail.tokens?.output;
    const facts = [
      [many(events.length, "event"), pace(events.length)],
      [many(characters, "character"), pace(characters)],
      tokens ? [many(tokens, "output token"), pace(tokens)] : null,
      [size(bytes), span > 0 ? `over ${duration(span)}` : ""],
    ].filter(Boolean);
    fill(this.facts,
      facts.map(([what, at]) => h("span", { class: "fact" }, h("strong", {}, what), at ? ` ${at}` : "")),
      longest ? this.gapLink(events.indexOf(longest)) : null,
      timed.length || !events.length ? null : h("span", { class: "fact quiet" }, "when the events came is not known"));
    this.state.textContent = this.live ? "coming in" : detail.response?.cut ? "only the beginning is kept" : "";
    this.state.className = this.live ? "badge under_way" : "badge";
    this.state.hidden = !this.state.textContent;
    this.follow.parentElement.hidden = !this.live;
  }

  gapLink(index) {
    const told = `${duration(this.longest.gap)} before event ${index + 1}`;
    return h("span", { class: "fact" }, "longest gap ",
      h("button", { type: "button", class: "link", onclick: () => this.rows.reveal(index) }, told));
  }

  fold(texts) {
    for (const text of texts) {
      const key = `${text.kind}\n${text.of}`;
      if (!this.texts.has(key)) {
        this.texts.set(key, new Made(text));
        this.made.append(this.texts.get(key).node);
      }
      this.texts.get(key).show(text);
    }
  }

  copyAll() {
    const name = (event) => (event.event ? `event: ${event.event}\n` : "");
    const all = this.events.map((event) => `${name(event)}data: ${event.data.replaceAll("\n", "\ndata: ")}\n\n`);
    copy(all.join(""), "Events copied");
  }
}

// A text that deltas make, as far as it has come.
class Made {
  constructor({ kind, of }) {
    this.note = h("span", { class: "quiet" });
    this.text = h("pre", { class: "made-text", tabindex: "0", role: "group", "aria-label": "The text" });
    this.more = h("button", { type: "button", class: "small", onclick: () => this.all() });
    this.node = h("section", { class: "made-one", "aria-label": `${kind} of ${of}` },
      h("h3", {}, kind, " ", h("bdi", { class: "quiet" }, marked(of))), " ", this.note,
      h("button", { type: "button", class: "small", onclick: () => copy(this.whole, "Text copied") }, "Copy"), this.text, this.more);
  }

  show({ text, first, last, events }) {
    this.whole = text;
    const span = first === null || last === null ? 0 : last - first;
    const times = first === null ? "" : `, from ${duration(first)} to ${duration(last)}`;
    const pace = span > 0 ? `, ${count(Math.round(text.length / span))} characters/s` : "";
    this.note.textContent = `${many(events, "event")}, ${many(text.length, "character")}${times}${pace} `;
    const shown = this.open ? text : text.slice(0, between(text, FOLDED));
    fill(this.text, marked(shown));
    this.more.hidden = shown.length === text.length;
    this.more.textContent = `Show all (${count(text.length)} characters)`;
  }

  all() {
    this.open = true;
    fill(this.text, marked(this.whole));
    this.more.hidden = true;
  }
}
