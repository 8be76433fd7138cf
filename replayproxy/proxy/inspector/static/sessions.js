// The sessions that are open: what each is doing, and the switches of the one that is chosen.

import { get, send } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { keep, keys, typing } from "./main.js";
import { every, keyed, walk } from "./refresh.js";
import { MODES, panel } from "./session.js";

const SECONDS = 2;
const COLUMNS = [["Session", ""], ["Mode", ""], ["Receipt", ""], ["Requests", "number"], ["Missed", "number"], ["Unplayed", "number"]];

export async function show(view, { query }) {
  const closing = new AbortController();
  const { signal } = closing;
  const filter = h("input", { type: "search", id: "sessions-filter", autocomplete: "off", spellcheck: "false" });
  const count = h("span", { class: "quiet", role: "status" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const body = h("tbody");
  const side = h("div", { class: "chosen" });
  const state = { name: query.get("name") ?? "", sessions: [], panel: null, cassettes: [] };

  const rows = keyed(body, (each) => each.name, (each) => row(each, choose));
  const draw = () => {
    const found = state.sessions.filter((each) => fits(each, filter.value));
    rows(found.map((each) => ({ ...each, chosen: each.name === state.name })));
    count.textContent = found.length === state.sessions.length ? `${found.length} open` : `${found.length} of ${state.sessions.length}`;
  };
  async function look() {
    state.sessions = (await get("/sessions", { signal })).sessions;
    const gone = !state.sessions.some((each) => each.name === state.name);
    if (gone && !query.get("name")) state.name = state.sessions[0]?.name ?? "";
    draw();
    await lookCloser();
  }
  async function lookCloser() {
    const { name } = state;
    if (!state.sessions.some((each) => each.name === name)) return none(side, state);
    const path = `/sessions/${encodeURIComponent(name)}`;
    const [session, faults] = await Promise.all([get(path, { signal }), get(`${path}/faults`, { signal })]);
    if (state.name !== name) return;
    if (state.panel?.name !== name) state.panel = panel(side, name, { refresh, closed });
    const played = state.cassettes.find((each) => each.sessions.includes(name));
    state.panel.update({ session, faults, path: played?.path ?? null });
  }
  const choose = (name) => {
    state.name = name;
    query.delete("name");
    keep(`#/sessions?name=${encodeURIComponent(name)}`);
    draw();
    return refresh();
  };
  const closed = () => {
    keep("#/sessions");
    query.delete("name");
    state.name = "";
    return refresh();
  };
  fill(view, h("div", { class: "pad tapes sessions-grid" },
    h("div", { class: "open" },
      h("h2", {}, "Sessions"),
      h("div", { class: "bar" }, h("label", { for: "sessions-filter" }, "Filter"), filter, count),
      problem,
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of sessions" },
        h("table", { class: "sheet" }, h("caption", { class: "offscreen" }, "Open sessions"),
          h("thead", {}, h("tr", {}, COLUMNS.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)))), body)),
      declaration(state, choose)),
    side));

  filter.addEventListener("input", draw);
  keys([["j, k", "the next session, the one before"], ["Enter", "choose it"], ["/", "filter"]]);
  document.addEventListener("keydown", (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      filter.focus();
    } else if (!event.key.startsWith("Arrow")) walk(event, () => [...body.querySelectorAll("a.name")]);
  }, { signal });
  const refresh = every(SECONDS, look, signal, (error) => {
    problem.hidden = !error;
    problem.textContent = error ? `This is not up to date: ${error.message}` : "";
  });
  // Which paths the cassettes have in their folder changes rarely, and takes a look at all of them.
  every(30, async () => (state.cassettes = (await get("/cassettes", { signal })).cassettes), signal);
  return () => closing.abort();
}

function fits({ name, mode, cassette }, text) {
  return `${name}\n${mode}\n${cassette}`.toLowerCase().includes(text.toLowerCase());
}

function row(session, choose) {
  const { counts } = session;
  const address = `#/sessions?name=${encodeURIComponent(session.name)}`;
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(session.name);
  };
  const requests = counts.played + counts.repeated + counts.missed + counts.forwarded + counts.faulted;
  return h("tr", { class: session.chosen ? "is-chosen" : null },
    h("th", { scope: "row" },
      h("a", { class: "name", href: address, onclick: follow, "aria-current": session.chosen ? "true" : null }, session.name)),
    h("td", {}, h("span", { class: "badge" }, session.mode)),
    h("td", {}, session.passed ? h("span", { class: "badge good" }, "passed") : h("span", { class: "badge bad" }, "failed")),
    h("td", { class: "number" }, requests),
    h("td", { class: "number" }, counts.missed ? h("span", { class: "badge missed" }, counts.missed) : 0),
    h("td", { class: "number" }, counts.unplayed ? h("span", { class: "badge warn" }, counts.unplayed) : 0));
}

function none(side, state) {
  state.panel = null;
  const how = "The first request for it opens it, or declare it here.";
  const text = state.name ? `There is no open session ${state.name}. ${how}` : "No session is open.";
  if (side.textContent !== text) fill(side, h("p", { class: "quiet" }, text));
}

// --- a new one

function declaration(state, choose) {
  const problems = h("p", { class: "error inline", role: "alert", hidden: true });
  const name = h("input", { name: "name", required: true, autocomplete: "off", spellcheck: "false" });
  const cassette = h("input",
    { name: "cassette", list: "known-cassettes", placeholder: "NAME.yaml", autocomplete: "off", spellcheck: "false" });
  const modes = Object.keys(MODES).map((each) => h("option", {}, each));
  const mode = h("select", { name: "mode" }, h("option", { value: "" }, "as the proxy"), modes);
  const known = h("datalist", { id: "known-cassettes" });
  cassette.addEventListener("focus", () => fill(known, state.cassettes.map((each) => h("option", { value: each.path }))));
  const form = h("form", { class: "inputs" },
    h("label", {}, "Name ", name), h("label", {}, "Cassette ", cassette), known, h("label", {}, "Mode ", mode),
    problems, h("p", { class: "buttons" }, h("button", { class: "primary" }, "Open the session")));
  const details = h("details", { class: "new-session" }, h("summary", {}, "New session"), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problems.hidden = true;
    try {
      const told = await send("POST", "/sessions", { name: name.value, cassette: cassette.value || null, mode: mode.value || null });
      announce(`Session ${told.name} is open`);
      form.reset();
      details.open = false;
      await choose(told.name);
    } catch (error) {
      problems.hidden = false;
      problems.textContent = error.message;
    }
  });
  return details;
}
