// A JSON text as a tree: opened where one looks, in pieces of a hundred, so that a body of megabytes stays quick.

import { copy, fill, h } from "./dom.js";
import { decoded, items, readJson } from "./json.js";
import { mediaIn } from "./media.js";
import { follow, indexPath, namePath } from "./paths.js";
import { between, count, line, many, marked } from "./texts.js";
import { matches } from "./tree_search.js";
import { after, before, deepest, grouped } from "./tree_walk.js";

const OPEN_AT_FIRST = 160; // rows
const OPEN_AT_MOST = 4000; // rows that "all" may open
const LONG = 600; // characters of a string before it is folded

/**
 * The tree of a JSON text, with its tools. `root` begins the paths; `problems` are marked at the fields that their
 * `param` leads to. What does not belong to the text (a query's parameter) is left out.
 */
export function jsonTree(text, { root = "body", problems = [] } = {}) {
  return new Tree(text, root, problems).element;
}

class Tree {
  constructor(text, root, problems) {
    this.text = text;
    this.rootPath = root;
    this.root = readJson(text);
    this.problems = new Map();
    this.rows = 0;
    this.path = h("code", { class: "path" });
    this.box = h("ul", { role: "tree", class: "tree", "aria-label": "JSON" });
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.box.addEventListener("click", (event) => this.clicked(event));
    for (const problem of problems) this.place(problem);
    this.box.append(this.row(this.root, 1));
    this.openSome(Infinity, OPEN_AT_FIRST);
    for (const node of [...this.problems.keys()].slice(0, 20)) this.reveal(node);
    this.element = h("div", { class: "json" }, this.tools(), this.box);
    this.select(this.root);
  }

  tools() {
    const act = (name, what) => h("button", { type: "button", class: "small", onclick: what }, name);
    const levels = h("span", { role: "group", "aria-label": "Open", class: "levels" },
      act("Collapse", () => this.openTo(0)), ...[1, 2, 3].map((level) => act(String(level), () => this.openTo(level))),
      act("All", () => this.openTo(Infinity)));
    [...levels.children].slice(1, 4).forEach((button, at) => button.setAttribute("aria-label", `Open ${at + 1} deep`));
    this.tell = h("span", { class: "quiet", "aria-live": "polite" });
    const search = h("input", { type: "search", placeholder: "Find", "aria-label": "Find in this body", class: "small" });
    search.addEventListener("input", () => this.search(search.value, 0));
    search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !search.value) return;
      event.preventDefault();
      this.search(search.value, event.shiftKey ? -1 : 1);
    });
    return h("div", { class: "tree-tools" }, levels, search, this.tell,
      h("span", { class: "chosen-path" }, this.path,
        act("Copy path", () => this.copyPath()), act("Copy value", () => this.copyValue())));
  }

  // -- rows

  row(node, level) {
    const container = node.count > 0 || node.kind === "range";
    const item = h("li", { role: "treeitem", "aria-level": level, tabindex: "-1", "aria-expanded": container ? "false" : null });
    const name = node.kind === "range" ? `${node.first} … ${node.last}` : node.name;
    const key = name === null ? null
      : h("span", { class: node.kind === "range" ? "range" : typeof name === "number" ? "index" : "name" }, line(String(name), 200));
    const notes = (this.problems.get(node) ?? []).map((problem) => problemNote(problem));
    fill(item, h("div", { class: notes.length ? "row problem" : "row" },
      h("span", { class: "twist", "aria-hidden": "true" }, container ? "▸" : ""),
      key, key && node.kind !== "range" ? h("span", { class: "quiet" }, ": ") : null, this.value(node),
      node.repeated ? h("span", { class: "badge warn", title: "JSON's readers keep one of them, mostly the last" }, "repeated name") : null,
      node.closed === false ? h("span", { class: "badge warn" }, "cut off") : null), notes);
    item.node = node;
    node.item = item;
    this.rows++;
    return item;
  }

  value(node) {
    if (node.kind === "range") return h("span", { class: "quiet" }, " items");
    if (node.kind === "string") return this.string(node);
    if (node.kind !== "object" && node.kind !== "array") {
      return h("span", { class: node.kind }, line(this.text.slice(node.from, node.to), 400));
    }
    if (!node.count) return h("span", {}, node.kind === "object" ? "{}" : "[]");
    const clip = line(this.text.slice(node.from, Math.min(node.to, node.from + 200)), 90);
    const held = node.kind === "object" ? many(node.count, "member") : many(node.count, "item");
    return h("span", { class: "quiet" }, h("span", { class: "held" }, held), h("span", { class: "clip" }, " ", clip));
  }

  string(node) {
    const text = decoded(this.text, node);
    const media = mediaIn(text);
    if (media) return media;
    const box = h("bdi", { class: "string" });
    const show = (all) => {
      const shown = all || text.length <= LONG ? text : text.slice(0, between(text, LONG));
      fill(box, '"', marked(shown), shown === text ? '"' : "…");
      if (shown !== text) {
        box.append(" ", h("button", { type: "button", class: "small more", tabindex: "-1", onclick: () => show(true) },
          `Show all (${count(text.length)} characters)`));
      }
    };
    show(false);
    return box;
  }

  // -- opening and closing

  shown(node) {
    node.shown ??= grouped(node.kind === "range" ? node.of : node, node.kind === "range" ? node.items : items(this.text, node));
    return node.shown;
  }

  open(node) {
    const { item } = node;
    if (item.getAttribute("aria-expanded") !== "false") return;
    let group = item.querySelector(":scope > ul");
    if (!group) {
      const level = Number(item.getAttribute("aria-level")) + 1;
      group = h("ul", { role: "group" }, this.shown(node).map((each) => this.row(each, level)));
      item.append(group);
    }
    group.hidden = false;
    item.setAttribute("aria-expanded", "true");
  }

  close(node) {
    if (node.item.getAttribute("aria-expanded") !== "true") return;
    node.item.setAttribute("aria-expanded", "false");
    node.item.querySelector(":scope > ul").hidden = true;
  }

  toggle(node) {
    if (node.item.getAttribute("aria-expanded") === "true") this.close(node);
    else this.open(node);
  }

  /** Opens level by level, as long as there are no more than `limit` rows; says whether all was opened. */
  openSome(deepest, limit) {
    let level = [this.root];
    for (let depth = 0; level.length && depth < deepest; depth++) {
      const next = [];
      for (const node of level) {
        if (node.item.getAttribute("aria-expanded") === null) continue;
        if (this.rows + (node.item.querySelector(":scope > ul") ? 0 : this.shown(node).length) > limit && node !== this.root) return false;
        this.open(node);
        next.push(...this.shown(node).slice(0, node.kind === "range" || node.shown[0]?.kind !== "range" ? undefined : 1));
      }
      level = next;
    }
    return true;
  }

  openTo(level) {
    for (const item of this.box.querySelectorAll("[aria-expanded=true]")) this.close(item.node);
    const whole = this.openSome(level, OPEN_AT_MOST);
    this.tell.textContent = whole ? "" : `${count(this.rows)} rows are open; open what you need beyond them`;
    this.select(this.root);
  }

  /** Opens all that a node is in. */
  reveal(node) {
    const way = [];
    for (let each = node; each; each = each.parent) way.unshift(each);
    for (const [at, each] of way.entries()) {
      const next = way[at + 1];
      if (!next) break;
      let holder = each;
      this.open(holder);
      while (!this.shown(holder).includes(next)) {
        holder = this.shown(holder).find((range) => range.first <= next.index && next.index <= range.last);
        this.open(holder);
      }
    }
  }

  // -- choosing, by mouse and keyboard

  select(node, focus = false) {
    if (this.chosen) {
      this.chosen.item.tabIndex = -1;
      this.chosen.item.removeAttribute("aria-selected");
    }
    this.chosen = node;
    node.item.tabIndex = 0;
    node.item.setAttribute("aria-selected", "true");
    fill(this.path, line(this.pathOf(node), 300));
    if (focus) node.item.focus();
  }

  clicked(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.target.closest("button, summary, a, audio, video")) return;
    if (String(getSelection())) return; // the text was marked, not the row
    this.select(item.node, true);
    if (event.target.closest(".row")) this.toggle(item.node);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.getAttribute("role") !== "treeitem") return;
    const act = {
      ArrowDown: () => this.go(after(this.chosen.item)),
      ArrowUp: () => this.go(before(this.chosen.item)),
      Home: () => this.go(this.root.item),
      End: () => this.go(deepest(this.root.item)),
      ArrowRight: () => this.inwards(),
      ArrowLeft: () => this.outwards(),
      Enter: () => this.enter(),
      " ": () => this.enter(),
      c: () => this.copyPath(),
      v: () => this.copyValue(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  go(item) {
    if (!item) return;
    this.select(item.node, true);
    item.firstChild.scrollIntoView({ block: "nearest" });
  }

  inwards() {
    const { item } = this.chosen;
    if (item.getAttribute("aria-expanded") === "false") this.open(this.chosen);
    else if (item.getAttribute("aria-expanded") === "true") this.go(after(item));
  }

  outwards() {
    const { item } = this.chosen;
    if (item.getAttribute("aria-expanded") === "true") this.close(this.chosen);
    else this.go(item.parentElement.closest("[role=treeitem]"));
  }

  enter() {
    const more = this.chosen.item.querySelector(":scope > .row button.more, :scope > .row summary");
    if (more) more.click();
    else this.toggle(this.chosen);
  }

  // -- copying, finding, problems

  pathOf(node) {
    const held = node.kind === "range" ? node.of : node;
    if (!held.parent) return this.rootPath;
    const path = this.pathOf(held.parent);
    return held.parent.kind === "array" ? indexPath(path, held.name) : namePath(path, held.name);
  }

  copyPath() {
    copy(this.pathOf(this.chosen), "Path copied");
  }

  copyValue() {
    const node = this.chosen.kind === "range" ? this.chosen.of : this.chosen;
    copy(node.kind === "string" ? decoded(this.text, node) : this.text.slice(node.from, node.to), "Value copied");
  }

  search(query, step) {
    if (query !== this.query) {
      this.query = query;
      this.found = query ? matches(this.text, this.root, query) : [];
      this.at = 0;
    } else if (this.found.length) this.at = (this.at + step + this.found.length) % this.found.length;
    this.box.querySelector(".found")?.classList.remove("found");
    const node = this.found[this.at];
    const told = this.found.length ? `${count(this.at + 1)} of ${count(this.found.length)}${this.found.more ? "+" : ""}` : "not found";
    this.tell.textContent = query ? told : "";
    if (!node) return;
    this.reveal(node);
    this.select(node);
    node.item.firstChild.classList.add("found");
    node.item.firstChild.scrollIntoView({ block: "center" });
  }

  place(problem) {
    const { node, missing } = follow(this.root, problem.param ?? "", (each) => items(this.text, each));
    if (!problem.param || (node === this.root && missing && problem.elsewhere)) return;
    this.problems.set(node, [...(this.problems.get(node) ?? []), problem]);
  }
}

/** A problem, as it stands under its field. */
export function problemNote(problem) {
  return h("div", { class: problem.warning ? "note-line warning" : "note-line", role: "note" },
    h("span", { class: `badge ${problem.warning ? "warn" : "bad"}` }, problem.warning ? "warning" : "problem"), " ",
    marked(problem.message));
}
