// The rows of a stream's events: made when they come near the window, so that thousands of them stay smooth.

import { copy, duration, fill, h, size } from "./dom.js";
import { wrong } from "./json.js";
import { line, longText } from "./texts.js";
import { jsonTree, problemNote } from "./tree.js";

const BLOCK = 50; // rows
const TALL = 27; // pixels, of a closed row

/**
 * The rows: `{node, show(events, known, longest, problems), reveal(index), toEnd()}`; `known` is how many were shown
 * before, `longest` the event behind the longest gap.
 */
export function eventRows() {
  return new Rows();
}

class Rows {
  constructor() {
    this.problems = [];
    this.blocks = [];
    this.opened = new Map(); // what is open, by index: rows come and go, what was opened stays
    this.current = 0;
    this.node = h("div", { class: "event-rows", role: "list", "aria-label": "Events" });
    this.node.addEventListener("keydown", (event) => this.pressed(event));
    this.watch = new IntersectionObserver((seen) => seen.forEach((each) => this.passed(each)), { rootMargin: "600px 0px" });
  }

  show(events, known, longest, problems) {
    const found = problems.length !== this.problems.length;
    this.events = events;
    this.problems = problems;
    this.longest = longest;
    for (let first = this.blocks.length * BLOCK; first < events.length; first += BLOCK) this.addBlock(first);
    const changed = Math.floor(known / BLOCK);
    this.blocks.forEach((block, at) => {
      if (found || at >= changed || block.element.querySelector(".longest")) this.renew(block);
    });
  }

  addBlock(first) {
    const element = h("div", { class: "block", role: "presentation" });
    const block = { element, first, near: first === 0 };
    element.block = block;
    this.blocks.push(block);
    this.node.append(element);
    this.watch.observe(element);
  }

  passed({ target, isIntersecting, boundingClientRect }) {
    const { block } = target;
    if (!target.isConnected) return;
    if (block.near && !isIntersecting && boundingClientRect.height) block.tall = boundingClientRect.height;
    if (block.near === isIntersecting || target.contains(document.activeElement)) return;
    block.near = isIntersecting;
    this.renew(block);
  }

  renew(block) {
    const held = this.events.slice(block.first, block.first + BLOCK);
    block.element.style.minHeight = block.near ? "" : `${block.tall ?? held.length * TALL}px`;
    if (!block.near) return fill(block.element);
    const old = [...block.element.children];
    const rows = held.map((event, at) => {
      const row = old[at];
      return row && this.isTrue(row, event) ? row : this.row(event, block.first + at);
    });
    if (rows.length !== old.length || rows.some((row, at) => row !== old[at])) fill(block.element, rows);
    return block.element;
  }

  // Whether a row says what is to be said of its event now.
  isTrue(row, event) {
    const longest = row.classList.contains("longest") === (event === this.longest);
    return row.event === event && longest && row.stop === event.stop && row.problems === this.problemsOf(row.index).length;
  }

  problemsOf(index) {
    return this.problems.filter((problem) => problem.event === index + 1);
  }

  row(event, index) {
    const own = this.problemsOf(index);
    const longest = event === this.longest;
    const row = h("div", { role: "listitem", class: `event${event.stop ? " stop" : ""}${longest ? " longest" : ""}` });
    const tabindex = index === this.current ? "0" : "-1";
    const head = h("button", { type: "button", class: "event-head", "aria-expanded": "false", tabindex },
      h("span", { class: "place" }, String(index + 1)),
      h("span", { class: "at" }, event.at === null ? "" : event.at === 0 ? "0 s" : duration(event.at)),
      h("span", { class: "since", title: longest ? "the longest gap" : null }, event.gap === null ? "" : `+${duration(event.gap)}`),
      h("span", { class: "type" }, line(event.event || event.kind || "data", 60)),
      h("span", { class: "bytes" }, size(event.size)),
      own.length ? h("span", { class: `badge ${own.some((each) => !each.warning) ? "bad" : "warn"}` }, "problem") : null,
      h("span", { class: event.delta ? "what delta" : "what" }, line(event.delta || event.data, 200)));
    head.addEventListener("click", () => this.toggle(row, index));
    row.append(head, ...own.map(problemNote));
    row.event = event;
    row.stop = event.stop;
    row.problems = own.length;
    row.head = head;
    row.index = index;
    if (this.opened.has(index)) this.open(row, index);
    return row;
  }

  toggle(row, index) {
    this.choose(row);
    if (this.opened.delete(index)) {
      row.head.setAttribute("aria-expanded", "false");
      row.querySelector(".event-body").remove();
    } else this.open(row, index);
  }

  open(row, index) {
    const { event } = row;
    if (!this.opened.has(index)) {
      const json = /^\s*[[{]/.test(event.data) && !wrong(event.data);
      const rest = [event.event ? `event: ${event.event}` : "", event.id ? `id: ${event.id}` : ""].filter(Boolean).join(", ");
      this.opened.set(index, h("div", { class: "event-body" }, rest ? h("p", { class: "quiet" }, line(rest)) : null,
        json ? jsonTree(event.data, { root: "data", problems: this.problemsOf(index) })
          : [longText(event.data, "The data of the event"),
            h("button", { type: "button", class: "small", onclick: () => copy(event.data, "Data copied") }, "Copy")]));
    }
    row.head.setAttribute("aria-expanded", "true");
    row.append(this.opened.get(index));
  }

  // -- going about

  choose(row) {
    for (const head of this.node.querySelectorAll(".event-head[tabindex='0']")) head.tabIndex = -1;
    this.current = row.index;
    row.head.tabIndex = 0;
  }

  pressed(event) {
    if (!event.target.classList.contains("event-head")) return;
    const here = event.target.closest(".event").index;
    const last = this.events.length - 1;
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + 20, PageUp: here - 20, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.reveal(Math.max(0, Math.min(to, last)));
  }

  /** Brings an event into view, and the focus to it. */
  reveal(index) {
    const block = this.blocks[Math.floor(index / BLOCK)];
    block.near = true;
    this.renew(block);
    const row = block.element.children[index - block.first];
    this.choose(row);
    row.head.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  toEnd() {
    this.blocks.at(-1)?.element.scrollIntoView({ block: "end" });
  }
}
