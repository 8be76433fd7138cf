// One session: where it is, what happened in it, and its switches.

import { send } from "./api.js";
import { sure } from "./asking.js";
import { announce, copy, fill, h } from "./dom.js";
import { faultsPart } from "./faults.js";
import { changing } from "./refresh.js";

/** The modes, and what each does. */
export const MODES = {
  playback: "Recorded answers only; a miss is refused, and there is no upstream.",
  auto: "Recorded answers where there are any; whatever misses goes to the upstream and is saved.",
  record: "Everything goes to the upstream and is saved, in the place of the earlier take.",
  passthrough: "Everything goes to the upstream; nothing is played or saved.",
};
const COUNTS = ["played", "repeated", "missed", "forwarded", "saved", "lost", "faulted", "problems", "warnings", "unplayed"];
const BAD = new Set(["missed", "lost", "problems"]);
const WARN = new Set(["warnings", "unplayed", "faulted"]);
// Those that the list of exchanges can show.
const OUTCOMES = new Set(["played", "repeated", "missed", "forwarded", "saved"]);

/**
 * Shows the session `name` in `element`; gives its name and `update({session, faults, path})`. `refresh` asks for news,
 * `closed` is called when it was closed.
 */
export function panel(element, name, { refresh, closed }) {
  const path = `/sessions/${encodeURIComponent(name)}`;
  const problem = h("p", { class: "error inline", role: "alert", hidden: true });
  let now = null;
  /** Does something that may be refused; what is refused is told here. */
  const attempt = async (work, done) => {
    problem.hidden = true;
    element.setAttribute("aria-busy", "true");
    try {
      const result = await work();
      if (done) announce(done);
      await refresh();
      return result;
    } catch (error) {
      problem.hidden = false;
      problem.textContent = error.message;
      return null;
    } finally {
      element.removeAttribute("aria-busy");
    }
  };
  const setMode = async (mode) => {
    if (!now || mode === now.mode) return;
    if (mode === "record" && !(await sure(overTheTake(now)))) return;
    await attempt(() => send("PUT", `${path}/mode`, { mode }), `Session ${name} is in ${mode} mode now`);
  };
  const reset = () => attempt(() => send("POST", `${path}/reset`), `Session ${name} begins anew`);
  const close = async () => {
    const text = "Exchanges under way finish first. The receipt is kept; the next request for it opens it again.";
    if (!(await sure({ title: `Close session ${name}?`, text, action: "Close it" }))) return;
    if (await attempt(() => send("DELETE", path), `Session ${name} is closed`)) closed();
  };

  const parts = { facts: h("div"), explained: h("p", { class: "quiet" }), counts: h("dl", { class: "tallies" }), more: h("div") };
  const button = (mode) => h("button", { "aria-pressed": "false", title: MODES[mode], onclick: () => setMode(mode) }, mode);
  const buttons = Object.keys(MODES).map(button);
  const faults = faultsPart(path, attempt);
  fill(element,
    h("h2", {}, `Session ${name}`), parts.facts,
    h("h3", { id: "mode-title" }, "Mode"),
    h("div", { class: "switch", role: "group", "aria-labelledby": "mode-title" }, buttons), parts.explained,
    h("p", { class: "buttons" },
      h("button", { onclick: reset, title: "Plays and counts from the beginning; the receipt so far is kept" }, "Reset"),
      h("button", { class: "danger", onclick: close }, "Close")),
    problem,
    h("h3", {}, "Receipt"), parts.counts,
    faults.element, parts.more);

  const update = {
    facts: changing(parts.facts, facts),
    counts: changing(parts.counts, counts),
    more: changing(parts.more, more),
  };
  return {
    name,
    update({ session, faults: planned, path: cassette }) {
      now = session;
      for (const [place, mode] of Object.keys(MODES).entries()) buttons[place].setAttribute("aria-pressed", String(mode === session.mode));
      if (parts.explained.textContent !== MODES[session.mode]) parts.explained.textContent = MODES[session.mode];
      const { base_url, failures, passed } = session;
      update.facts({ base_url, failures, passed, cassette: session.cassette, path: cassette });
      update.counts({ name, counts: session.counts });
      const { misses, unplayed, operations, unused_rules } = session;
      update.more({ misses, unplayed, operations, unused_rules, total: session.counts.unplayed, path: cassette });
      faults.update(planned, operations);
    },
  };
}

function overTheTake({ name, cassette }) {
  const aside = `The earlier take is set aside beside it, as ${cassette.split("/").pop()}~.`;
  const text = `The first answer that is saved begins ${cassette} anew. ${aside}`;
  return { title: `Record session ${name} anew?`, text, action: "Record" };
}

function facts({ base_url, failures, passed, cassette, path }) {
  const verdict = passed ? h("span", { class: "badge good" }, "passed") : h("span", { class: "badge bad" }, "failed");
  return [
    h("p", { class: "verdict" }, verdict, failures.length ? ` ${failures.join("; ")}` : null),
    h("dl", { class: "located" },
      h("dt", {}, "Base URL"),
      h("dd", {}, h("code", {}, base_url), " ", h("button", { onclick: () => copy(base_url, "Base URL copied") }, "Copy"), " ",
        h("button", { onclick: () => copy(`export OPENAI_BASE_URL=${base_url}`, "Copied for a shell") }, "Copy for a shell")),
      h("dt", {}, "Cassette"),
      h("dd", {}, path === null ? h("code", {}, cassette) : h("a", { href: cassetteAddress(path) }, h("code", {}, cassette)))),
  ];
}

function cassetteAddress(path) {
  return `#/cassettes/${encodeURIComponent(path)}`;
}

function counts({ name, counts: found }) {
  return COUNTS.map((each) => {
    const number = found[each];
    const kind = !number ? "zero" : BAD.has(each) ? "bad" : WARN.has(each) ? "warn" : "";
    const filter = encodeURIComponent(`session:${name} outcome:${each}`);
    const linked = number && OUTCOMES.has(each);
    const shown = linked ? h("a", { href: `#/?filter=${filter}` }, number) : number;
    return h("div", { class: kind }, h("dt", {}, each), h("dd", {}, shown));
  });
}

// --- what a receipt tells beside its counts

function more({ misses, unplayed, operations, unused_rules: unused, total, path }) {
  return [
    misses.length > 0 && section("Misses told", h("ul", { class: "plain" }, misses.map(miss))),
    unplayed.length > 0 && section(`Unplayed (${total})`,
      h("ul", { class: "plain" }, unplayed.map((each) => leftover(each, path))),
      total > unplayed.length && h("p", { class: "quiet" }, `… and ${total - unplayed.length} more.`)),
    operations.length > 0 && section("Operations", asked(operations)),
    unused.length > 0 && section("Rules of matching that nothing needed",
      h("ul", { class: "plain" }, unused.map((rule) => h("li", {}, h("code", {}, rule))))),
  ];
}

function section(title, ...content) {
  return h("section", {}, h("h3", {}, title), content);
}

function miss({ reason, method, target, message }) {
  return h("li", {}, h("span", { class: "badge missed" }, reason), " ", h("code", {}, `${method} ${target}`),
    h("details", {}, h("summary", {}, "What the client was told"), h("pre", {}, message)));
}

function leftover({ number, method, target, line }, path) {
  const name = h("code", {}, `${method} ${target}`);
  const shown = path === null ? name : h("a", { href: `${cassetteAddress(path)}/interactions/${number}` }, name);
  const where = line ? h("span", { class: "quiet" }, ` line ${line}`) : null;
  return h("li", {}, h("span", { class: "badge warn" }, `#${number}`), " ", shown, where);
}

function asked(operations) {
  const head = [["Operation", ""], ["Requests", "number"], ["Problems", "number"], ["Warnings", "number"]];
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Operations" }, h("table", { class: "sheet" },
    h("thead", {}, h("tr", {}, head.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)))),
    h("tbody", {}, operations.map((each) => h("tr", {},
      h("th", { scope: "row" }, each.operation ?? h("span", { class: "quiet" }, "unknown to the catalog")),
      h("td", { class: "number" }, each.requests),
      h("td", { class: "number" }, each.problems ? h("span", { class: "badge bad" }, each.problems) : 0),
      h("td", { class: "number" }, each.warnings ? h("span", { class: "badge warn" }, each.warnings) : 0))))));
}
