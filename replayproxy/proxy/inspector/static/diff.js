// Any two exchanges or interactions side by side.

import { get } from "./api.js";
import { bodyRows, fieldRows } from "./aligned.js";
import { addressOf, diffAddress } from "./cassette_paths.js";
import { announce, fill, h } from "./dom.js";
import { keys, title, typing } from "./main.js";
import { ruleBox, toggle } from "./miss.js";
import { picker } from "./picker.js";
import { pathTable, sideTable } from "./sides.js";
import { line, many } from "./texts.js";

const KEYS = [["n / p", "next, previous difference"], ["x", "swap the sides"], ["a", "show what is the same as well"]];

export async function show(view, { query, current }) {
  const [left, right] = [query.get("left") ?? "", query.get("right") ?? ""];
  const stop = new AbortController();
  if (!left || !right) {
    await picker(view, { left, right, signal: stop.signal });
    return () => stop.abort();
  }
  keys(KEYS);
  fill(view, h("p", { class: "pad quiet" }, "Comparing…"));
  const address = `/diff?left=${encodeURIComponent(left)}&right=${encodeURIComponent(right)}`;
  const asked = [address, addressOf(left), addressOf(right)];
  const [diff, one, other] = await Promise.all(asked.map((each) => get(each, { signal: stop.signal })));
  if (!current()) return undefined;
  title(`${diff.left.title} and ${diff.right.title}`);
  const shown = new Shown(view, diff, one, other);
  document.addEventListener("keydown", shown.pressed);
  return () => {
    stop.abort();
    document.removeEventListener("keydown", shown.pressed);
  };
}

class Shown {
  constructor(view, diff, left, right) {
    this.diff = diff;
    this.place = h("div", { class: "diff-sides" });
    this.at = -1;
    const names = [line(diff.left.title, 60), line(diff.right.title, 60)];
    const tables = [];
    const part = (name, rows) => {
      const table = sideTable(rows, names, name);
      tables.push(table);
      const found = rows.filter((row) => row.first).length;
      const badge = h("span", { class: found ? "badge warn" : "badge" }, found ? many(found, "difference") : "the same");
      return h("section", { "aria-label": name }, h("h3", {}, name, " ", badge), table.node);
    };
    const messages = [["Request", left.request, right.request, targetRows(left.request, right.request)],
      ["Answer", left.response, right.response, statusRows(left.response, right.response)]];
    fill(this.place, messages.map(([name, one, other, first]) => [
      part(`${name}: head`, [...first, ...fieldRows(one?.headers, other?.headers)]),
      part(`${name}: body`, bodyRows(one, other)),
    ]));
    this.tools = toggle(tables);
    this.pressed = (event) => this.key(event);
    fill(view, h("div", { class: "pad diff-page" }, this.head(), this.summary(), this.tools, this.place));
  }

  head() {
    const { left, right } = this.diff;
    const side = (name, { ref, title: told, method, target, status, cut }) => h("div", { class: "diff-side" },
      h("span", { class: "quiet" }, name), " ", h("a", { href: `#${addressOf(ref)}` }, line(told, 80)),
      h("div", { class: "mono" }, line(`${method} ${target}`, 200), status ? ` → ${status}` : ""),
      cut ? h("p", { class: "notice" }, "of its answer only the beginning was kept") : null);
    const button = (key, name, act) => h("button", { type: "button", "aria-keyshortcuts": key, onclick: act }, name);
    return h("header", {}, h("h2", {}, "Differences"),
      h("div", { class: "diff-names" }, side("left", left), side("right", right)),
      h("p", { class: "buttons" },
        button("p", "‹ Previous difference", () => this.step(-1)), button("n", "Next difference ›", () => this.step(1)),
        button("x", "Swap sides", () => this.swap()),
        h("a", { class: "button", href: `#/diff?left=${encodeURIComponent(left.ref)}` }, "Compare the left one with another")));
  }

  summary() {
    const { request, response, rule, more } = this.diff;
    const names = ["left", "right"];
    const pick = (path) => this.goTo(path);
    const asked = request.map((each) => ({ ...each, note: each.counted ? "" : "(does not count for matching)" }));
    const answered = response.map((each) => ({ ...each, note: each.volatile ? "(differs each time)" : "" }));
    const counted = request.filter((each) => each.counted);
    const table = (name, rows, label) => (rows.length
      ? [h("h3", {}, name), pathTable(rows, names, { label, pick: (path) => pick(`${name.toLowerCase()} ${path}`) })] : null);
    return h("section", { "aria-label": "What differs", class: "diff-summary" },
      h("p", { role: "status" }, told(request, response), more ? " There are more than are listed here." : ""),
      table("Request", asked, "Differences of the requests"), counted.length ? ruleBox(rule, counted) : null,
      table("Answer", answered, "Differences of the answers"));
  }

  key(event) {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    const all = () => this.tools.querySelector("button").click();
    const act = { n: () => this.step(1), p: () => this.step(-1), x: () => this.swap(), a: all }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  swap() {
    location.hash = diffAddress(this.diff.right.ref, this.diff.left.ref);
  }

  rows() {
    return [...this.place.querySelectorAll("tr[data-path]")];
  }

  step(by) {
    const rows = this.rows();
    if (!rows.length) return announce("There is no difference");
    const here = rows.indexOf(document.activeElement);
    if (here >= 0) this.at = here;
    const next = this.at < 0 && by < 0 ? rows.length - 1 : this.at + by;
    if (next < 0 || next >= rows.length) return announce(by > 0 ? "This is the last difference" : "This is the first difference");
    return this.focus(rows, next);
  }

  focus(rows, at) {
    this.at = at;
    rows[at].scrollIntoView({ block: "center" });
    rows[at].focus({ preventScroll: true });
    announce(`Difference ${at + 1} of ${rows.length}: ${rows[at].dataset.path}`);
  }

  goTo(name) {
    const [side, ...rest] = name.split(" ");
    const path = rest.join(" ");
    const wanted = side === "request" && (path === "path" || path.startsWith("query")) ? "target" : path;
    const parts = [...this.place.children].slice(...(side === "request" ? [0, 2] : [2, 4]));
    const rows = this.rows();
    const inside = rows.filter((row) => parts.some((part) => part.contains(row)));
    const row = inside.find((each) => each.dataset.path === wanted) ?? inside.find((each) => near(each.dataset.path, wanted));
    if (row) this.focus(rows, rows.indexOf(row));
    else announce(`${path} is among what is folded`);
  }
}

function near(one, other) {
  return one && (one.startsWith(other) || other.startsWith(one));
}

function told(request, response) {
  if (!request.length && !response.length) return "Both are the same.";
  const steady = response.filter((each) => !each.volatile).length;
  const counted = request.filter((each) => each.counted).length;
  const asked = counted ? `differ in ${many(counted, "place")} that count${counted === 1 ? "s" : ""} for matching`
    : request.length ? "match, and differ in what does not count" : "are the same";
  const answered = steady ? `differ in ${many(steady, "place")}`
    : response.length ? "differ only in what differs each time" : "are the same";
  return `The requests ${asked}; the answers ${answered}.`;
}

function row(path, left, right) {
  const kind = left === right ? "same" : left === null ? "added" : right === null ? "removed" : "changed";
  return { left, right, kind, path, first: kind !== "same" };
}

function targetRows(left, right) {
  return [row("method", left.method, right.method), row("target", left.target, right.target)];
}

function statusRows(left, right) {
  const shown = (response) => (response ? `${response.status}` : null);
  return left || right ? [row("status", shown(left), shown(right))] : [];
}
