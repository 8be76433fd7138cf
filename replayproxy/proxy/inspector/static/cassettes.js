// The cassettes there are: how much they hold, who uses them, what of them nobody played, and which are broken.

import { get } from "./api.js";
import { fill, h, size } from "./dom.js";
import { keys, typing } from "./main.js";
import { changing, every, keyed, walk } from "./refresh.js";

const SECONDS = 5;
const COLUMNS = [["Cassette", ""], ["Interactions", "number"], ["Unplayed", "number"], ["Size", "number far"], ["Recorded", "far"],
  ["Upstream", "far"], ["Sessions", ""]];
const EMPTY = "There is no cassette yet. In auto and record mode the first answer that is saved makes one.";

export async function show(view) {
  const closing = new AbortController();
  const { signal } = closing;
  const folder = h("p", { class: "quiet" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const filter = h("input", { type: "search", id: "cassettes-filter", autocomplete: "off", spellcheck: "false" });
  const count = h("span", { class: "quiet", role: "status" });
  const body = h("tbody");
  const empty = h("p", { class: "empty", hidden: true });
  const table = h("table", { class: "sheet" },
    h("caption", { class: "offscreen" }, "Cassettes"),
    h("thead", {}, h("tr", {}, COLUMNS.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)))),
    body);
  fill(view,
    h("div", { class: "pad tapes" },
      h("h2", {}, "Cassettes"), folder,
      h("div", { class: "bar" }, h("label", { for: "cassettes-filter" }, "Filter"), filter, count),
      problem, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of cassettes" }, table), empty));

  const rows = keyed(body, (each) => each.path, row);
  const told = changing(folder, (path) => ["In the folder ", h("code", {}, path)]);
  let known = null;
  const draw = () => {
    if (!known) return;
    const found = known.cassettes.filter((each) => fits(each, filter.value));
    rows(found);
    table.hidden = !found.length;
    empty.hidden = Boolean(found.length);
    empty.textContent = known.cassettes.length ? "No cassette has that in it." : EMPTY;
    count.textContent = found.length === known.cassettes.length ? `${found.length}` : `${found.length} of ${known.cassettes.length}`;
  };
  filter.addEventListener("input", draw);
  keys([["j, k", "the next cassette, the one before"], ["Enter", "its interactions"], ["/", "filter"]]);
  document.addEventListener("keydown", (event) => onKey(event, filter, () => [...body.querySelectorAll("a.name")]), { signal });
  every(SECONDS, async () => {
    known = await get("/cassettes", { signal });
    told(known.folder);
    draw();
  }, signal, (error) => {
    problem.hidden = !error;
    problem.textContent = error ? `The list is not up to date: ${error.message}` : "";
  });
  return () => closing.abort();
}

function onKey(event, filter, links) {
  if (typing(event) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    event.preventDefault();
    filter.focus();
  } else walk(event, links);
}

function fits(cassette, text) {
  const { path, upstream, sessions: names, broken } = cassette;
  const searched = [path, upstream, ...names, broken ? "broken" : ""].join("\n").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => searched.includes(word));
}

function row(cassette) {
  const name = h("a", { class: "name", href: `#/cassettes/${encodeURIComponent(cassette.path)}` }, cassette.path);
  const mark = cassette.broken ? h("span", { class: "badge bad" }, "broken") : cassette.note && h("span", { class: "badge warn" }, "torn");
  const why = cassette.broken ?? cassette.note;
  return h("tr", { class: cassette.broken ? "broken" : null },
    h("th", { scope: "row" }, name, mark, why && h("span", { class: cassette.broken ? "under why" : "under quiet" }, why)),
    h("td", { class: "number" }, cassette.interactions),
    h("td", { class: "number" }, cassette.broken ? null : unplayed(cassette.unplayed)),
    h("td", { class: "number far" }, size(cassette.size)),
    h("td", { class: "far" }, cassette.recorded && h("time", { datetime: cassette.recorded }, when(cassette.recorded))),
    h("td", { class: "far" }, cassette.upstream),
    h("td", {}, sessions(cassette)));
}

function unplayed(count) {
  if (count === null) return h("span", { class: "quiet", title: "no session plays it" }, "–");
  return count ? h("span", { class: "badge warn" }, count) : h("span", { class: "badge good" }, "none");
}

function sessions({ sessions: names }) {
  const link = (name) => h("a", { href: `#/sessions?name=${encodeURIComponent(name)}` }, name);
  const shown = names.slice(0, 5).map((name, place) => [place ? ", " : "", link(name)]);
  return [shown, names.length > 5 && ` and ${names.length - 5} more`];
}

/** A time in the reader's zone; what is none stays as it stands. */
export function when(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
