// A miss: why nothing recorded answered, what came nearest beside what was asked, and what to do about it.

import { get, send } from "./api.js";
import { bodyRows, fieldRows } from "./aligned.js";
import { addressOf, diffAddress, pathInFolder } from "./cassette_paths.js";
import { announce, copy, fill, h } from "./dom.js";
import { pathTable, sideTable } from "./sides.js";
import { line, many, marked } from "./texts.js";

const REASONS = {
  no_cassette: ["Nothing was ever recorded for it", (file) => ["There is no cassette ", file, "."]],
  no_match: ["No recording answers this request", (file) => ["None of the interactions in ", file, " is the same request."]],
  already_played: ["Every recording of this request was given already",
    (file) => ["Each interaction in ", file, " is played once, in order, and this one has had its turn."]],
};
const NAMES = ["recorded", "received"];
// What counts of a request's headers; others are not shown beside each other (the view of differences has all).
const COUNTED = /^(openai-beta|content-type)$/i;

/** The panel of a detail that missed (`GET /exchanges/N`); null when it did not. */
export function missPanel(detail) {
  if (!detail.miss) return null;
  const { reason, cassette, near } = detail.miss;
  const [title, told] = REASONS[reason] ?? [reason, (file) => [file]];
  const shown = h("div", { class: "near-shown" });
  const panel = h("section", { class: "miss", "aria-labelledby": "miss-title" },
    h("h3", { id: "miss-title" }, h("span", { class: "badge missed" }, "missed"), " ", title),
    h("p", {}, told(h("code", {}, line(cassette || "the cassette", 120)))),
    near.length ? chooser(detail, near.slice(0, 3), shown) : null,
    shown, cures(detail));
  if (near.length) showNear(shown, detail, near[0]);
  return panel;
}

function chooser(detail, near, shown) {
  const note = ({ differences }) => (differences.length ? many(differences.length, "difference") : "the same request");
  const buttons = near.map((each, at) => h("button", { type: "button", "aria-pressed": String(at === 0), onclick: () => choose(at) },
    `#${each.interaction}`, h("span", { class: "note" }, note(each))));
  const choose = (at) => {
    buttons.forEach((each, index) => each.setAttribute("aria-pressed", String(index === at)));
    showNear(shown, detail, near[at]);
  };
  const name = near.length > 1 ? "The nearest recordings" : "The nearest recording";
  return h("p", { class: "near-list switches", role: "group", "aria-label": name }, h("span", {}, `${name}:`), buttons);
}

async function showNear(shown, detail, near) {
  const differences = near.differences.map(({ path, recorded, received }) => ({ path, left: recorded, right: received }));
  const beside = h("div", { class: "beside" });
  const links = h("p", { class: "buttons" });
  fill(shown,
    differences.length ? pathTable(differences, NAMES, { label: "What differs", pick: (path) => goTo(beside, path) }) : null,
    ruleBox(near.rule, differences), links, beside);
  try {
    const path = await pathInFolder(detail.miss.cassette);
    if (path === null) return;
    const reference = `${path}#${near.interaction}`;
    const place = near.line ? `, line ${near.line}` : "";
    fill(links, h("a", { class: "button", href: `#${addressOf(reference)}` }, `Recording #${near.interaction}`, place),
      h("a", { class: "button", href: diffAddress(reference, `exchange:${detail.number}`) }, "Diff"));
    fill(beside, besideEachOther(await get(addressOf(reference)), detail, near));
  } catch (error) {
    fill(beside, h("p", { class: "quiet" }, "The recording cannot be shown beside it: ", error.message));
  }
}

function besideEachOther(recorded, detail, near) {
  const names = [`recorded (#${near.interaction})`, "received"];
  const [old, fresh] = [recorded.request, detail.request];
  const differs = (name) => near.differences.some(({ path }) => path === `header.${name.toLowerCase()}`);
  const counted = (message) => message.headers.filter(([name]) => COUNTED.test(name) || differs(name));
  const first = ["method", "target"].map((path) => {
    const [left, right] = [old[path], fresh[path]];
    return { left, right, kind: left === right ? "same" : "changed", path, first: left !== right };
  });
  const head = [...first, ...fieldRows(counted(old), counted(fresh))];
  const tables = [sideTable(head, names, "Head of the request"), sideTable(bodyRows(old, fresh), names, "Body of the request")];
  return [toggle(tables), h("h4", {}, "Head"), tables[0].node, h("h4", {}, "Body"), tables[1].node];
}

/** The button that shows what is the same as well. */
export function toggle(tables) {
  let all = false;
  const button = h("button", { type: "button", class: "small", "aria-pressed": "false", onclick: () => {
    all = !all;
    button.setAttribute("aria-pressed", String(all));
    for (const table of tables) table.showAll(all);
  } }, "Show all");
  return h("p", { class: "body-tools" }, button, h("span", { class: "quiet" }, "what is the same is folded"));
}

function goTo(place, path) {
  const rows = [...place.querySelectorAll("tr[data-path]")];
  const named = path === "path" || path.startsWith("query") ? "target" : path;
  const near = ({ dataset }) => named.startsWith(dataset.path) || dataset.path.startsWith(named);
  const row = rows.find((each) => each.dataset.path === named) ?? rows.find(near);
  if (!row) return announce(`${path} is among what is folded`);
  row.scrollIntoView({ block: "center" });
  row.focus();
  return undefined;
}

/** The rule that accepts it, to be copied. */
export function ruleBox(rule, differences) {
  if (!differences.length) return null;
  if (!rule) {
    const told = "No rule can accept it: another method or path makes another request. (A mask can cover what varies in a path.)";
    return h("p", { class: "notice" }, told);
  }
  const onclick = () => copy(rule, "Rule copied: paste it into replayproxy.yaml");
  const button = h("button", { type: "button", class: "primary copy-rule", onclick }, "Copy the rule");
  return h("div", { class: "rule" },
    h("p", {}, "If that varies from run to run, this rule in ", h("code", {}, "replayproxy.yaml"), " accepts it:"),
    h("pre", { tabindex: "0", role: "group", "aria-label": "The rule" }, marked(rule)), button);
}

function cures(detail) {
  const { reason } = detail.miss;
  const rows = [];
  if (reason === "already_played") {
    rows.push(h("li", {}, "for another run, ", resetButton(detail.session), "; its play counts begin anew"));
    rows.push(h("li", {}, "if the app now asks more often: record again, or set ", h("code", {}, "playback.repeat: cycle")));
  } else {
    const again = reason === "no_cassette" ? "record it: " : "if the change is meant, record again: ";
    rows.push(h("li", {}, again, h("code", {}, "replayproxy record"), ", or switch the session to ", h("code", {}, "record"), " or ",
      h("code", {}, "auto"), " at ", h("a", { href: "#/sessions" }, "Sessions")));
    if (reason === "no_match") {
      rows.push(h("li", {}, "if it varies from run to run, put its path under ", h("code", {}, "match.ignore"), " (the rule above)"));
      rows.push(h("li", {}, "if neither, the app sends something else than it did"));
    } else {
      rows.push(h("li", {}, "or point ", h("code", {}, "--cassette"), " or ", h("code", {}, "--cassettes"), " at the recording"));
    }
  }
  return h("div", { class: "cures" }, h("h4", {}, "What to do"), h("ul", {}, rows));
}

/** The button that resets a session. */
export function resetButton(session) {
  const button = h("button", { type: "button", class: "small", onclick: async () => {
    button.disabled = true;
    try {
      await send("POST", `/sessions/${encodeURIComponent(session)}/reset`);
      announce(`Session ${session} was reset`);
    } finally {
      button.disabled = false;
    }
  } }, "Reset session ", h("bdi", {}, session));
  return button;
}
