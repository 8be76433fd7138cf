// The filter box: a field that completes, remembers, and says what is wrong with what was typed.

import { get } from "./api.js";
import { completions, has, termAt, toggled } from "./completion.js";
import { fill, h } from "./dom.js";
import { openDialog } from "./help.js";

const KEPT = "replayproxy-filters";
const MOST = 20;
const PAUSE = 200; // so long nobody typed: the filter is asked
const MISSES = "outcome:miss";
let keys = null; // of the filter language, as the proxy tells them

/**
 * Makes the box: `{element, text, on, ...}`; `text` and `on` are how it begins, `values(field)` what exchanges have there,
 * `asked()` is called when text or switch have changed and stay so, `left()` when the keyboard goes back to the list.
 */
export class FilterBox {
  #options = [];
  #active = -1;
  #timer = 0;

  constructor({ text, on, values, asked, left }) {
    this.values = values;
    this.asked = asked;
    this.left = left;
    this.#build(text, on);
    keys ?? get("/filters").then((told) => (keys = told.keys), () => {});
  }

  #build(text, on) {
    this.input = h("input", {
      type: "text", class: "filter mono", name: "filter", value: text, role: "combobox", autocomplete: "off", autocapitalize: "off",
      spellcheck: "false", placeholder: 'family:runs status:4xx outcome:miss body~"text"', "aria-label": "Filter", "aria-expanded": "false",
      "aria-controls": "filter-options", "aria-autocomplete": "list", "aria-describedby": "filter-error", "aria-keyshortcuts": "/",
      oninput: () => this.#typed(), onkeydown: (event) => this.#pressed(event), onclick: () => this.#offer(), onblur: () => this.#leave(),
    });
    this.list = h("ul", { role: "listbox", id: "filter-options", class: "options", "aria-label": "Completions", hidden: true });
    this.error = h("p", { class: "refused", id: "filter-error", role: "alert", hidden: true });
    this.switch = h("input", { type: "checkbox", name: "filter-on", checked: on, onchange: () => this.#change() });
    this.misses = h("button", { class: "misses", "aria-keyshortcuts": "m", onclick: () => this.toggleMisses() }, "Misses");
    this.element = h("div", { class: "filterbox", role: "search" },
      h("div", { class: "field" }, this.input, this.list, this.error),
      h("label", { class: "filter-on", title: "Whether the filter is used" }, this.switch, "on"),
      this.misses,
      h("button", { class: "slight", title: "How to write a filter", onclick: explain }, "How?"),
    );
    this.#tellMisses();
  }

  get text() {
    return this.input.value.trim();
  }

  get on() {
    return this.switch.checked;
  }

  /** The filter that is to be used. */
  get filter() {
    return this.on ? this.text : "";
  }

  set(text, on = true) {
    this.input.value = text;
    this.switch.checked = on;
    this.#close();
    this.#change();
  }

  toggleMisses() {
    this.set(toggled(this.on ? this.text : "", MISSES));
    remember(this.text);
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** Says what is wrong with the filter; "" when nothing is. */
  refuse(message) {
    this.error.textContent = message;
    this.error.hidden = !message;
    if (message) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  close() {
    clearTimeout(this.#timer);
  }

  #change() {
    clearTimeout(this.#timer);
    this.#tellMisses();
    this.asked();
  }

  #tellMisses() {
    this.misses.setAttribute("aria-pressed", this.on && has(this.text, MISSES));
  }

  #typed() {
    this.switch.checked = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#change(), PAUSE);
    this.#offer();
  }

  #leave() {
    remember(this.text);
    setTimeout(() => this.#close(), 0);
  }

  // --- completion

  #offer() {
    const { value, selectionStart } = this.input;
    const term = termAt(value, selectionStart ?? value.length);
    const offered = value ? [] : kept().map((text) => ({ text, meaning: "used before", whole: true }));
    this.#options = [...offered, ...completions(term, keys ?? [], this.values)];
    this.#active = -1;
    const items = this.#options.map(({ text, meaning }, place) =>
      h("li", {
        role: "option", id: `filter-option-${place}`, "aria-selected": "false", onmousedown: (event) => this.#clicked(event, place),
      },
        h("span", { class: "mono" }, text), h("span", { class: "quiet" }, meaning)));
    fill(this.list, items);
    this.list.hidden = !items.length;
    this.input.setAttribute("aria-expanded", items.length > 0);
    this.input.removeAttribute("aria-activedescendant");
  }

  #close() {
    this.list.hidden = true;
    this.#active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #mark(place) {
    this.list.children[this.#active]?.setAttribute("aria-selected", "false");
    this.#active = (place + this.#options.length) % this.#options.length;
    const item = this.list.children[this.#active];
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", item.id);
  }

  #take(place) {
    const { text, goesOn, whole } = this.#options[place];
    const { value, selectionStart } = this.input;
    const { start } = whole ? { start: 0 } : termAt(value, selectionStart);
    const end = whole ? value.length : selectionStart;
    const put = goesOn || whole ? text : `${text} `;
    this.input.value = value.slice(0, start) + put + value.slice(end).trimStart();
    this.input.setSelectionRange(start + put.length, start + put.length);
    if (goesOn) this.#typed();
    else {
      this.#close();
      this.switch.checked = true;
      this.#change();
    }
  }

  #clicked(event, place) {
    event.preventDefault();
    this.#take(place);
  }

  #pressed(event) {
    const open = !this.list.hidden;
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (!open) this.#offer();
      else this.#mark(this.#active < 0 && key === "ArrowUp" ? -1 : this.#active + (key === "ArrowDown" ? 1 : -1));
    } else if (key === "Tab" && !event.shiftKey && this.#begun(open)) this.#take(Math.max(this.#active, 0));
    else if (key === "Enter") this.#entered(open);
    else if (key === "Escape") {
      if (open) this.#close();
      else this.left();
    } else return;
    event.preventDefault();
  }

  // Whether Tab completes: something is offered, and a term was begun or one of the offers chosen.
  #begun(open) {
    return open && (this.#active >= 0 || termAt(this.input.value, this.input.selectionStart).text !== "");
  }

  #entered(open) {
    if (open && this.#active >= 0) return this.#take(this.#active);
    remember(this.text);
    this.#close();
    this.#change();
    this.left();
  }
}

// --- the filters that were used, the latest first

function kept() {
  try {
    const list = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(list) ? list.filter((each) => typeof each === "string").slice(0, MOST) : [];
  } catch {
    return []; // nothing is kept, or it is no list
  }
}

function remember(text) {
  if (!text) return;
  try {
    localStorage.setItem(KEPT, JSON.stringify([text, ...kept().filter((each) => each !== text)].slice(0, MOST)));
  } catch {
    // a browser that keeps nothing: then there is no history
  }
}

// --- the language, explained

async function explain() {
  keys ??= (await get("/filters")).keys;
  const rows = keys.map((each) => h("tr", {},
    h("th", { scope: "row", class: "mono" }, each.key),
    h("td", {}, each.meaning, each.values.length ? h("span", { class: "quiet" }, `: ${each.values.join(", ")}`) : null),
    h("td", { class: "mono" }, each.example)));
  openDialog(h("dialog", { "aria-labelledby": "filter-title", class: "explained" },
    h("h2", { id: "filter-title" }, "How to write a filter"),
    h("ul", {},
      h("li", {}, "Terms joined by blanks must all fit: ", h("code", {}, "family:runs status:4xx")),
      h("li", {}, "Commas join alternatives: ", h("code", {}, "outcome:miss,failed")),
      h("li", {}, "A minus turns a term round: ", h("code", {}, "-session:default")),
      h("li", {}, "A colon asks for the whole value, with * for anything; a tilde for a part of it: ",
        h("code", {}, 'path:/v1/threads/* body~"two words"')),
      h("li", {}, "Numbers are compared: ", h("code", {}, "seconds:>1 size:<=10k first_byte:>500ms")),
      h("li", {}, "Words without a key are looked for in target, operation, note and bodies: ",
        h("code", {}, '"no such thread"'))),
    h("table", {},
      h("thead", {}, h("tr", {}, ["Key", "What it looks at", "Example"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows)),
    h("form", { method: "dialog", class: "buttons" }, h("button", { class: "primary" }, "Close"))));
}
