// The interactions of one cassette: what was asked and answered, where it stands in the file, and what nobody played.

import { get, text } from "./api.js";
import { announce, copy, duration, fill, h, size } from "./dom.js";
import { keys, typing } from "./main.js";
import { changing, every, keyed, walk } from "./refresh.js";

const SECONDS = 5;
const STEP = 500;
const COLUMNS = [["", ""], ["#", "number"], ["Line", "number far"], ["Method", ""], ["Target", ""], ["Status", "number"], ["Played", ""],
  ["Sent", "number far"], ["Received", "number far"], ["Tokens", "number far"], ["Time", "number far"]];
const FORMS = [["curl", "curl"], ["openai", "Python (openai)"], ["httpx", "Python (httpx)"], ["javascript", "JavaScript"], ["har", "HAR"]];

export async function show(view, { params, query }) {
  const closing = new AbortController();
  const { signal } = closing;
  const { path } = params;
  const chosen = new Set();
  const filter = h("input", { type: "search", id: "cassette-filter", autocomplete: "off", spellcheck: "false" });
  const only = h("input", { type: "checkbox", id: "only-unplayed", checked: query.has("unplayed") });
  const count = h("span", { class: "quiet", role: "status" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const acts = h("div", { class: "bar", role: "group", "aria-label": "With the chosen interactions" });
  const body = h("tbody");
  const more = h("button", { hidden: true });
  const empty = h("p", { class: "empty", hidden: true });
  const table = h("table", { class: "sheet" },
    h("caption", { class: "offscreen" }, `Interactions of ${path}`),
    h("thead", {}, h("tr", {}, COLUMNS.map(column))),
    body);
  fill(view,
    h("div", { class: "pad tapes" },
      h("p", { class: "crumbs" }, h("a", { href: "#/cassettes" }, "Cassettes")),
      h("h2", {}, path),
      h("div", { class: "bar" }, h("label", { for: "cassette-filter" }, "Filter"), filter,
        h("label", { class: "check" }, only, " only unplayed"), count),
      acts, problem,
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of interactions" }, table), empty,
      h("p", {}, more)));

  let known = null;
  let limit = STEP;
  const redrawActs = changing(acts, (numbers) => actions(path, numbers));
  const choose = (number, on) => {
    if (on) chosen.add(number);
    else chosen.delete(number);
    redrawActs([...chosen].sort((one, other) => one - other));
  };
  const rows = keyed(body, (each) => each.number, (each) => row(path, each, chosen, choose));
  const draw = () => {
    if (!known) return;
    const found = known.filter((each) => (!only.checked || each.played === false) && fits(each, filter.value));
    rows(found.slice(0, limit));
    table.hidden = !found.length;
    empty.hidden = Boolean(found.length);
    empty.textContent = nothing(known, only.checked);
    more.hidden = found.length <= limit;
    more.textContent = `Show ${Math.min(STEP, found.length - limit)} more of ${found.length}`;
    count.textContent = summary(known, found);
  };
  const anew = () => {
    limit = STEP;
    draw();
  };
  filter.addEventListener("input", anew);
  only.addEventListener("change", anew);
  more.addEventListener("click", () => {
    limit += STEP;
    draw();
  });
  redrawActs([]);
  keys([["j, k", "the next interaction, the one before"], ["Enter", "open it"], ["x", "choose it"],
    ["d", "compare the two chosen"], ["u", "only unplayed"], ["/", "filter"]]);
  document.addEventListener("keydown", (event) => onKey(event, { body, filter, only, acts, anew }), { signal });
  every(SECONDS, async () => {
    known = (await get(`/cassettes/${encodeURIComponent(path)}/interactions`, { signal })).interactions;
    draw();
  }, signal, (error) => {
    problem.hidden = !error;
    problem.textContent = error?.message ?? "";
  });
  return () => closing.abort();
}

function column([name, kind]) {
  return h("th", { scope: "col", class: kind }, name || h("span", { class: "offscreen" }, "Chosen"));
}

function onKey(event, { body, filter, only, acts, anew }) {
  const onBox = event.target.type === "checkbox" && !event.ctrlKey && !event.metaKey && !event.altKey;
  if ((typing(event) && !onBox) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "u") {
    only.checked = !only.checked;
    anew();
  } else if (event.key === "x") {
    const row = document.activeElement.closest?.("tr");
    if (row && body.contains(row)) row.querySelector("input")?.click();
  } else if (event.key === "d") {
    acts.querySelector("a.compare")?.click();
  } else walk(event, () => [...body.querySelectorAll("a.name")]);
}

function nothing(known, unplayed) {
  if (!known.length) return "Nothing is recorded in it.";
  if (!unplayed) return "No interaction has that in it.";
  const plays = known.some((each) => each.played !== null);
  return plays ? "Nothing of that is unplayed." : "No session plays this cassette, so nothing counts as unplayed.";
}

function summary(known, found) {
  const left = known.filter((each) => each.played === false).length;
  const plays = known.some((each) => each.played !== null);
  const shown = found.length === known.length ? `${known.length} interactions` : `${found.length} of ${known.length} interactions`;
  return plays ? `${shown}, ${left} unplayed` : `${shown}; no session plays them`;
}

function fits(each, text) {
  const { method, target, status, operation, family, model } = each;
  const words = [method, target, status, operation, family, model, each.fault && `fault ${each.fault}`];
  const line = [...words, each.stream && "stream", each.broken && "broken"].filter(Boolean).join("\n").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => line.includes(word));
}

function row(path, each, chosen, choose) {
  const address = `#/cassettes/${encodeURIComponent(path)}/interactions/${each.number}`;
  const box = h("input", { type: "checkbox", "aria-label": `Choose interaction ${each.number}`, checked: chosen.has(each.number) });
  box.addEventListener("change", () => choose(each.number, box.checked));
  const head = [h("td", {}, box), h("td", { class: "number" }, each.number), h("td", { class: "number far" }, each.line || "")];
  if (each.broken) {
    const why = [h("span", { class: "badge bad" }, "broken"), h("span", { class: "under why" }, each.broken)];
    return h("tr", { class: "broken" }, head, h("td", { colspan: "8" }, why));
  }
  return h("tr", { class: each.played === false ? "unplayed" : null }, head,
    h("td", { class: "mono" }, each.method),
    h("th", { scope: "row" }, h("a", { class: "name mono", href: address }, h("bdi", {}, each.target)), under(each)),
    h("td", { class: "number" }, h("span", { class: each.status >= 400 ? "badge bad" : "badge" }, each.status)),
    h("td", {}, played(each.played)),
    h("td", { class: "number far" }, size(each.sent)),
    h("td", { class: "number far" }, size(each.received)),
    h("td", { class: "number far", title: each.tokens && tokens(each.tokens) }, each.tokens?.total ?? ""),
    h("td", { class: "number far" }, each.seconds ? duration(each.seconds) : ""));
}

function played(value) {
  if (value === null) return h("span", { class: "quiet", title: "no session plays it" }, "–");
  return value ? h("span", { class: "badge played" }, "played") : h("span", { class: "badge warn" }, "unplayed");
}

/** What stands below the target: the operation, and whatever is special. */
function under(each) {
  const warnings = each.warnings ?? 0;
  const errors = each.problems - warnings;
  const found = [
    each.operation && h("span", { class: "quiet" }, each.operation),
    each.stream && h("span", { class: "badge" }, "stream"),
    each.fault && h("span", { class: "badge bad" }, `fault: ${each.fault}`),
    errors > 0 && h("span", { class: "badge bad" }, errors === 1 ? "1 problem" : `${errors} problems`),
    warnings > 0 && h("span", { class: "badge warn" }, warnings === 1 ? "1 warning" : `${warnings} warnings`),
  ].filter(Boolean);
  return found.length ? h("span", { class: "under" }, found) : null;
}

function tokens({ input, cached, output, reasoning }) {
  return `${input} in${cached ? ` (${cached} cached)` : ""}, ${output} out${reasoning ? ` (${reasoning} reasoning)` : ""}`;
}

// --- with the chosen ones

function actions(path, numbers) {
  if (!numbers.length) return h("span", { class: "quiet" }, "Choose two interactions to compare them, or some to copy or export them.");
  const form = h("select", { id: "chosen-form" }, FORMS.map(([value, name]) => h("option", { value }, name)));
  const address = (number) => `/cassettes/${encodeURIComponent(path)}/interactions/${number}/as/${form.value}`;
  const given = async (use) => {
    try {
      const chosen = form.value;
      use(chosen, joined(chosen, await Promise.all(numbers.map((number) => text(address(number))))));
    } catch (error) {
      announce(error.message);
    }
  };
  return [
    h("span", {}, `Chosen: ${numbers.map((number) => `#${number}`).join(", ")}`),
    numbers.length === 2 && comparison(path, numbers),
    h("label", { for: "chosen-form" }, "As"), form,
    h("button", { onclick: () => given((name, found) => copy(found, `Copied as ${name}`)) }, "Copy"),
    h("button", { onclick: () => given((name, found) => download(found, name, path)) }, "Download"),
  ];
}

function comparison(path, [left, right]) {
  const reference = (number) => encodeURIComponent(`${path}#${number}`);
  const href = `#/diff?left=${reference(left)}&right=${reference(right)}`;
  return h("a", { class: "compare", href }, `Compare #${left} and #${right}`);
}

/** Several texts as one; of HAR the entries of all in one log. */
function joined(form, texts) {
  if (form !== "har") return texts.join("\n");
  const [first, ...rest] = texts.map((each) => JSON.parse(each));
  for (const other of rest) first.log.entries.push(...other.log.entries);
  return JSON.stringify(first, null, 2);
}

const ENDINGS = { curl: "sh", openai: "py", httpx: "py", javascript: "mjs", har: "har" };

function download(found, form, path) {
  const url = URL.createObjectURL(new Blob([found], { type: "text/plain" }));
  const name = `${path.split("/").pop().replace(/\.yaml$/, "")}.${ENDINGS[form]}`;
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
