// The live list: every exchange as it happens, filtered, and led by the keyboard.

import { text as textOf } from "./api.js";
import { lookAgain } from "./connection.js";
import { announce, copy, fill, h } from "./dom.js";
import { Feed } from "./feed.js";
import { FilterBox } from "./filterbox.js";
import { Grid } from "./grid.js";
import { harButton } from "./har.js";
import { Held } from "./held.js";
import { keep, keys, title, typing } from "./main.js";
import { baseUrl, cleared, count, noneFits, nothingYet, searching } from "./vacant.js";

const KEYS = [
  ["j, ↓ / k, ↑", "the next row, the one before"],
  ["PgDn / PgUp", "a page further, a page back"],
  ["Home, g g / End, G", "the newest exchange, the oldest one"],
  ["Enter, o", "open the exchange"],
  ["/", "to the filter"],
  ["m", "misses only, or all again"],
  ["d", "mark it for a comparison; with a second one, compare them"],
  ["c", "copy it as curl"],
  ["e", "edit and resend it"],
  ["p", "pause the list, or go on"],
  ["x / X", "clear the list, show all again"],
];

// What is kept while another view is shown: coming back is like never having left.
const held = new Held();
const left = { filter: "", on: true, selected: 0, marked: 0, scroll: 0 };

export async function show(view, { query }) {
  const list = new List(view);
  list.open(query.get("filter") ?? "", query.get("off") === null);
  return () => list.close();
}

class List {
  #state = { kind: "connecting", searched: 0, of: 0, held: 0, left: 0, waiting: 0 };
  #base = "";
  #told = "";
  #prefix = false; // whether `g` was the last key

  constructor(view) {
    this.view = view;
    this.pressed = (event) => this.#press(event);
  }

  open(filter, on) {
    if (filter !== left.filter) held.begin(true);
    this.box = new FilterBox({
      text: filter, on, values: (name) => held.values(name), asked: () => this.#ask(), left: () => this.grid.element.focus(),
    });
    this.grid = new Grid(held, {
      open: (number) => this.#go(number), choose: (number) => (left.selected = number), moved: () => this.#tell(),
    });
    this.#build();
    [this.grid.selected, this.grid.marked] = [left.selected, left.marked];
    this.grid.restore(left.scroll);
    this.feed = new Feed(this.#heard());
    document.addEventListener("keydown", this.pressed);
    keys(KEYS);
    baseUrl().then((base) => {
      this.#base = base;
      this.#tell();
    });
    this.#ask();
    if (document.activeElement === document.body || this.view === document.activeElement) this.grid.element.focus({ preventScroll: true });
  }

  close() {
    left.scroll = this.grid.scroll;
    document.removeEventListener("keydown", this.pressed);
    this.feed.close();
    this.grid.close();
    this.box.close();
  }

  #build() {
    const button = (name, key, onclick) => h("button", { onclick, "aria-keyshortcuts": key }, name);
    this.pause = button("Pause", "p", () => this.#pause());
    this.clear = button("Clear", "x", () => this.#clear());
    this.all = h("button", { onclick: () => this.#showAll(), "aria-keyshortcuts": "Shift+X" }, "Show all");
    this.counts = h("p", { class: "counts quiet" });
    this.notice = h("div", { class: "notices", "aria-live": "polite" });
    this.vacant = h("div", { class: "vacancy" });
    this.newer = h("button", { class: "newer primary", hidden: true, onclick: () => this.grid.top() });
    fill(this.view,
      h("div", { class: "bar" }, this.box.element, h("div", { class: "buttons" }, this.pause, this.clear, this.all, harButton(() => this.box.filter)), this.counts),
      this.notice,
      h("div", { class: "stack" }, this.grid.element, this.vacant, this.newer));
  }

  // --- the feed
  #ask() {
    const { filter, text, on } = this.box;
    this.box.refuse("");
    Object.assign(this.#state, { kind: "connecting", searched: 0, of: 0 });
    this.feed.ask(filter);
    const parts = new URLSearchParams(text ? { filter: text, ...(on ? {} : { off: "1" }) } : {});
    keep(text ? `#/?${parts}` : "#/");
    [left.filter, left.on] = [text, on];
    title(filter ? `${filter} – Exchanges` : "Exchanges");
    this.#tell();
  }

  #heard() {
    return {
      opened: (changed) => {
        held.begin(changed);
        this.#now("searching");
        lookAgain();
      },
      page: ({ exchanges, searched, of }) => {
        held.take(exchanges);
        this.#now("searching", { searched, of });
      },
      caught_up: (told) => {
        held.end();
        this.#now("live", { held: told.held });
      },
      exchanges: ({ exchanges, left_out: out = 0, unfit = [], waiting = 0, held: whole }) => {
        const new_ = exchanges.filter((each) => each.number > held.newest).length;
        held.take(exchanges);
        held.forget(unfit);
        const { left, held: before, kind } = this.#state;
        this.#now(kind, { left: left + out, waiting, held: whole ?? before + new_ });
      },
      gone: ({ through }) => {
        held.drop(through);
        this.grid.schedule();
      },
      refused: (error) => {
        this.box.refuse(error.problems[0]?.message ?? error.message);
        this.#now("live");
      },
      broken: (seconds) => {
        this.#now("broken", { seconds });
        lookAgain();
      },
    };
  }

  #now(kind, more = {}) {
    Object.assign(this.#state, more, { kind });
    this.grid.schedule();
  }

  // --- what is told beside the rows
  #tell() {
    const { kind } = this.#state;
    const { above } = this.grid;
    const counted = this.#counted();
    // This runs for every frame of a scroll: what is told already is left alone.
    const now = [kind, counted, above, held.paused, held.waiting.size, left.marked, this.#base, held.cleared, this.#state.held].join("|");
    if (now === this.#told) return;
    this.#told = now;
    this.pause.textContent = held.paused ? (held.waiting.size ? `Go on (${count(held.waiting.size)} wait)` : "Go on") : "Pause";
    this.pause.setAttribute("aria-pressed", held.paused);
    this.all.hidden = !held.cleared;
    this.newer.hidden = !above;
    this.newer.textContent = `↑ ${count(above)} new`;
    this.counts.textContent = counted;
    this.view.dataset.state = kind;
    this.view.setAttribute("aria-busy", kind === "connecting" || kind === "searching");
    this.#tellNotices();
    this.#tellVacancy();
  }

  #counted() {
    const { kind, searched, of, held: whole, left: out, waiting } = this.#state;
    const shown = count(held.count);
    const hidden = held.rows.length - held.count;
    return [
      this.box.filter
        ? `${shown} of ${count(Math.max(whole, of, held.rows.length))} fit`
        : `${shown} exchange${held.count === 1 ? "" : "s"}`,
      hidden ? `${count(hidden)} cleared` : "",
      held.gone ? `${count(held.gone)} gone` : "",
      waiting ? `${count(waiting)} to come` : "",
      out ? `${count(out)} too fast to show` : "",
      kind === "searching" && of ? `searching ${Math.round((100 * searched) / of)} %` : "",
    ].filter(Boolean).join(" · ");
  }

  #tellNotices() {
    const notices = [];
    if (this.#state.kind === "broken") {
      notices.push(h("p", { class: "notice bad" }, "The connection to the proxy broke; it is tried again. ",
        h("button", { onclick: () => this.feed.retry() }, "Try now")));
    }
    if (left.marked) {
      notices.push(h("p", { class: "notice" }, 
        `Exchange ${left.marked} is marked: choose another and press `, h("kbd", {}, "d"), " to compare them. ",
        h("button", { onclick: () => this.#mark(0) }, "Take the mark off")));
    }
    const now = `${this.#state.kind === "broken"} ${left.marked}`;
    if (this.notice.dataset.shows !== now) fill(this.notice, notices);
    this.notice.dataset.shows = now;
  }

  #tellVacancy() {
    const { kind, searched, of, held: whole } = this.#state;
    const vacant = held.count === 0;
    this.vacant.hidden = !vacant;
    if (!vacant) return void (this.vacant.dataset.shows = "");
    const live = kind === "live";
    const now = [live, held.cleared && held.rows.length, this.box.filter, whole, live ? 0 : searched, this.#base].join("|");
    if (this.vacant.dataset.shows === now) return;
    this.vacant.dataset.shows = now;
    if (held.rows.length) fill(this.vacant, cleared(held.rows.length, () => this.#showAll()));
    else if (kind !== "live") fill(this.vacant, kind === "broken" ? null : searching(searched, of));
    else if (this.box.filter && whole) {
      const ways = { off: () => this.box.set(this.box.text, false), empty: () => this.box.set("") };
      fill(this.vacant, noneFits(whole, ways));
    }
    else fill(this.vacant, nothingYet(this.#base));
  }

  // --- what the person does
  #go(number = left.selected) {
    if (number) location.hash = `#/exchanges/${number}`;
  }

  #pause() {
    if (held.paused) held.resume();
    else held.pause();
    announce(held.paused ? "Paused: what comes in waits." : "The list goes on.");
    this.grid.schedule();
  }

  #clear() {
    held.clear();
    this.grid.selected = left.selected = 0;
    announce("Cleared. Show all brings them back.");
    this.grid.top();
  }

  #showAll() {
    held.showAll();
    this.grid.schedule();
    this.grid.element.focus();
  }

  #mark(number) {
    this.grid.marked = left.marked = number;
    this.grid.schedule();
  }

  #compare() {
    const { selected, marked } = left;
    if (!selected) return announce("Choose an exchange first.");
    if (!marked || marked === selected) return this.#mark(marked ? 0 : selected);
    this.#mark(0);
    location.hash = `#/diff?left=exchange:${marked}&right=exchange:${selected}`;
  }

  async #copy() {
    if (!left.selected) return announce("Choose an exchange first.");
    await copy(await textOf(`/exchanges/${left.selected}/as/curl`), "Copied as curl");
  }

  #press(event) {
    const { key } = event;
    if (typing(event) || document.querySelector("dialog[open]")) return;
    const first = this.#prefix && key === "g";
    this.#prefix = key === "g" && !first;
    const inPlace = !event.target.closest("button, a, [role=listbox]") || event.target.closest("[role=grid]");
    const action = first ? () => this.grid.move(-Infinity) : (this.#actions[key] ?? (inPlace ? this.#moves[key] : null));
    if (!action) return;
    event.preventDefault();
    action();
  }

  #actions = {
    j: () => this.grid.move(1),
    k: () => this.grid.move(-1),
    G: () => this.grid.move(Infinity),
    o: () => this.#go(),
    "/": () => this.box.focus(),
    m: () => this.box.toggleMisses(),
    d: () => this.#compare(),
    c: () => this.#copy(),
    e: () => left.selected && (location.hash = `#/exchanges/${left.selected}/edit`),
    p: () => this.#pause(),
    x: () => this.#clear(),
    X: () => this.#showAll(),
  };
  // Keys that a button or a link has a use for itself.
  #moves = {
    ArrowDown: () => this.grid.move(1),
    ArrowUp: () => this.grid.move(-1),
    PageDown: () => this.grid.move(this.grid.page),
    PageUp: () => this.grid.move(-this.grid.page),
    Home: () => this.grid.move(-Infinity),
    End: () => this.grid.move(Infinity),
    Enter: () => this.#go(),
    Escape: () => this.#mark(0),
  };
}
