// A list of which only what can be seen is in the page: rows of one height, recycled while it scrolls.

import { h } from "./dom.js";
import { headRow, newRow } from "./rows.js";

const BEYOND = 8; // rows above and below what can be seen
const HEIGHTS = { wide: 28, narrow: 50 };
const NARROW = "(max-width: 700px)";

/**
 * Shows a `Held`. What it knows of the person: `selected` and `marked` are numbers of exchanges (0: none). New rows come in at
 * the top; who has scrolled down, or whose chosen row would leave the window, keeps seeing what was there.
 * `on` has `open(number)`, `choose(number)` and `moved()` after each change of what can be seen.
 */
export class Grid {
  selected = 0;
  marked = 0;
  #held;
  #on;
  #body = h("div", { role: "rowgroup", class: "recycled" });
  #pool = [];
  #anchor = { number: 0, offset: 0 };
  #followed = 0; // the newest number when the top was last seen
  #due = 0;
  #turn = 0;
  #settling = 0;
  #wide = matchMedia(NARROW);
  #window = 0; // how high what can be seen is
  #height = HEIGHTS.wide;
  #shown = -1;
  #sizes;
  #scrolled = 0; // where it stood at the last drawing: when it stands elsewhere, the person has scrolled
  #visible = false; // whether the chosen row could be seen then

  constructor(held, on) {
    [this.#held, this.#on] = [held, on];
    this.head = h("div", { role: "rowgroup", class: "names" }, headRow());
    this.element = h("div", { role: "grid", class: "rows", tabindex: "0", "aria-label": "Exchanges, newest first" }, this.head, this.#body);
    this.element.addEventListener("scroll", () => this.schedule(), { passive: true });
    this.element.addEventListener("click", (event) => this.#clicked(event));
    this.element.addEventListener("dblclick", (event) => this.#opened(event));
    this.#sizes = new ResizeObserver(() => this.#measure());
    this.#sizes.observe(this.element);
  }

  /** How many new rows are above what can be seen. */
  get above() {
    const first = this.element.scrollTop > 0 ? this.#held.indexOf(this.#followed) : 0;
    return Math.max(first, 0);
  }

  get scroll() {
    return this.element.scrollTop;
  }

  /** Draws before the next frame. */
  schedule() {
    this.#due ||= requestAnimationFrame(() => {
      this.#due = 0;
      this.#draw();
    });
  }

  /** Goes to a place where it was before. */
  restore(top) {
    this.#measure();
    this.#stretch();
    this.#anchor.number = 0;
    this.element.scrollTop = top;
    this.schedule();
  }

  close() {
    cancelAnimationFrame(this.#due);
    clearTimeout(this.#settling);
    this.#sizes.disconnect();
  }

  /** Chooses a row and brings it into sight. */
  select(number) {
    this.selected = number;
    const index = this.#held.indexOf(number);
    if (index >= 0) this.#reveal(index);
    this.schedule();
    this.#on.choose(number);
  }

  /** Chooses the row so many rows further down; the first one when none was chosen. */
  move(rows) {
    const { count } = this.#held;
    if (!count) return;
    const now = this.#held.indexOf(this.selected);
    const index = now < 0 ? this.#first(rows) : Math.min(Math.max(now + rows, 0), count - 1);
    this.select(this.#held.at(index).number);
  }

  /** How many rows a page has. */
  get page() {
    return Math.max(Math.floor(this.#window / this.#height) - 1, 1);
  }

  top() {
    this.element.scrollTop = 0;
    this.#anchor.number = 0;
    this.schedule();
  }

  // Where to begin when no row is chosen: at one that can be seen, or at the end that is asked for.
  #first(rows) {
    if (!Number.isFinite(rows)) return rows < 0 ? 0 : this.#held.count - 1;
    return Math.min(Math.ceil(this.element.scrollTop / this.#height), this.#held.count - 1);
  }

  #measure() {
    this.#height = this.#wide.matches ? HEIGHTS.narrow : HEIGHTS.wide;
    this.#window = Math.max(this.element.clientHeight - this.head.offsetHeight, 0);
    this.element.style.setProperty("--row", `${this.#height}px`);
    this.#shown = -1;
    for (const row of this.#pool) row.at = -1;
    this.schedule();
  }

  #stretch() {
    const { count } = this.#held;
    if (count === this.#shown) return;
    this.#shown = count;
    this.#body.style.height = `${count * this.#height}px`;
    this.element.setAttribute("aria-rowcount", count + 1);
  }

  #reveal(index) {
    const [top, bottom] = [index * this.#height, (index + 1) * this.#height];
    const { scrollTop } = this.element;
    this.#stretch();
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + this.#window) this.element.scrollTop = bottom - this.#window;
    this.#anchor.number = 0;
  }

  #draw() {
    this.#stretch();
    const top = this.#keepPlace();
    const { count } = this.#held;
    const first = Math.max(Math.floor(top / this.#height) - BEYOND, 0);
    const last = Math.min(Math.ceil((top + this.#window) / this.#height) + BEYOND, count);
    this.#grow(last - first);
    const total = this.#held.rows.length;
    this.#turn++;
    for (let index = first; index < last; index++) {
      // A row keeps its element while others come in above it: elements go by the place from the oldest on.
      this.#put(this.#pool[(total - 1 - index) % this.#pool.length], index);
    }
    for (const row of this.#pool) if (row.turn !== this.#turn) hide(row);
    this.#tellActive(first, last);
    const upper = this.#held.at(Math.min(Math.floor(top / this.#height), count - 1));
    this.#anchor = { number: upper?.number ?? 0, offset: top % this.#height };
    if (top <= 0) this.#followed = this.#held.newest;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#order(), 200);
    this.#on.moved();
  }

  // Rows came in above: what was seen stays where it is, unless it was the top itself.
  #keepPlace() {
    const top = this.element.scrollTop;
    const { number, offset } = this.#anchor;
    if (top > 0 && number) {
      const index = this.#held.indexOf(number);
      const now = index * this.#height + offset;
      if (index >= 0 && Math.abs(now - top) >= this.#height && this.#scrolled === top) return this.#scrollTo(now);
    } else if (this.selected && this.#visible) {
      const bottom = (this.#held.indexOf(this.selected) + 1) * this.#height;
      if (bottom > top + this.#window) return this.#scrollTo(bottom - this.#window);
    }
    this.#scrolled = top;
    return top;
  }

  #scrollTo(top) {
    this.element.scrollTop = top;
    this.#scrolled = this.element.scrollTop;
    return this.#scrolled;
  }

  #grow(rows) {
    if (rows <= this.#pool.length) return;
    // All elements find a new place when their number changes, so it changes seldom.
    for (let more = rows + 16 - this.#pool.length; more > 0; more--) {
      const { element, fill } = newRow();
      element.hidden = true;
      this.#pool.push({ element, fill, exchange: null, index: -1, at: -1, turn: 0, state: "" });
      this.#body.append(element);
    }
  }

  #put(row, index) {
    const exchange = this.#held.at(index);
    const at = index * this.#height;
    if (row.exchange !== exchange) {
      row.fill(exchange, index);
      row.state = "";
    } else if (row.index !== index) row.element.setAttribute("aria-rowindex", index + 2);
    [row.exchange, row.index, row.turn] = [exchange, index, this.#turn];
    if (row.at !== at) {
      row.element.style.transform = `translateY(${at}px)`;
      if (row.at < 0) row.element.hidden = false;
      row.at = at;
    }
    const chosen = exchange.number === this.selected;
    const state = `${chosen}${exchange.number === this.marked}`;
    if (row.state !== state) {
      row.element.setAttribute("aria-selected", chosen);
      row.element.toggleAttribute("data-marked", exchange.number === this.marked);
      row.state = state;
    }
  }

  #tellActive(first, last) {
    const index = this.#held.indexOf(this.selected);
    this.#visible = index >= first && index < last;
    if (this.#visible) this.element.setAttribute("aria-activedescendant", `exchange-${this.selected}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  // Who reads the page in its own order finds the rows in theirs, once it stands still.
  #order() {
    const shown = this.#pool.filter((row) => row.index >= 0).sort((one, other) => one.index - other.index);
    let before = null;
    for (const row of shown) {
      if (row.element.previousElementSibling !== before) (before ? before.after(row.element) : this.#body.prepend(row.element));
      before = row.element;
    }
  }

  #numberAt(event) {
    return Number(event.target.closest(".row[data-number]")?.dataset.number ?? 0);
  }

  #clicked(event) {
    const number = this.#numberAt(event);
    if (!number || event.ctrlKey || event.metaKey || event.shiftKey) return;
    this.select(number);
    if (this.#wide.matches && !event.target.closest("a")) this.#on.open(number);
  }

  #opened(event) {
    const number = this.#numberAt(event);
    if (number) this.#on.open(number);
  }
}

function hide(row) {
  if (row.index < 0) return;
  row.element.hidden = true;
  for (const name of ["id", "aria-selected", "data-marked"]) row.element.removeAttribute(name);
  [row.exchange, row.index, row.at] = [null, -1, -1];
}
