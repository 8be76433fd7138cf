// The conversations there are: threads, chains of chat completions and of responses, by what was said first.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { keep, keys, typing } from "./main.js";
import { every, keyed, walk } from "./refresh.js";
import { tone, words } from "./runs.js";
import { count, line, many } from "./texts.js";

const SECONDS = 3;
const NONE = "No conversation yet: the journal holds no thread, chat completion or response of this choice.";
const COLUMNS = ["Conversation", "Kind", "Turns", "Exchanges", "Tokens in / out", "Last", "Session"];
const NUMBERS = new Set(["Turns", "Exchanges", "Tokens in / out"]);
/** What each kind is called. */
export const KINDS = { thread: "thread", chat: "chat", responses: "responses", conversation: "conversation" };

export async function show(view, { query }) {
  const closing = new AbortController();
  const { signal } = closing;
  const kind = select("talks-kind", "All kinds", Object.keys(KINDS), query.get("kind"));
  const wanted = query.get("session");
  const session = select("talks-session", "All sessions", wanted ? [wanted] : [], wanted);
  const text = h("input", { type: "search", id: "talks-text", autocomplete: "off", spellcheck: "false" });
  const counted = h("span", { class: "quiet", role: "status" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const empty = h("p", { class: "empty", hidden: true });
  const body = h("tbody");
  const table = h("table", { class: "talks" }, h("caption", { class: "offscreen" }, "Conversations"),
    h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col", class: NUMBERS.has(name) ? "number" : null }, name)))),
    body);
  const again = h("button", { type: "button" }, "Refresh");
  fill(view, h("div", { class: "pad" },
    h("h2", {}, "Conversations"),
    h("div", { class: "talk-bar" },
      h("label", { for: "talks-kind" }, "Kind"), kind, h("label", { for: "talks-session" }, "Session"), session,
      h("label", { for: "talks-text" }, "Filter"), text, again, counted),
    problem, h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table of conversations" }, table), empty));

  const rows = keyed(body, (each) => each.id, row);
  let known = null;
  const draw = () => {
    if (!known) return;
    const sought = text.value.toLowerCase().split(/\s+/);
    const found = known.conversations.filter((each) => fits(each, sought));
    rows(found);
    offer(session, known.sessions);
    table.hidden = !found.length;
    empty.hidden = Boolean(found.length);
    empty.textContent = known.held ? "No conversation has that in it." : NONE;
    const more = known.held > known.conversations.length ? `, the latest ${count(known.conversations.length)} are listed` : "";
    counted.textContent = `${many(found.length, "conversation")}${more}`;
  };
  const refresh = every(SECONDS, async () => {
    const asked = new URLSearchParams();
    if (kind.value) asked.set("kind", kind.value);
    if (session.value) asked.set("session", session.value);
    known = await get(`/conversations?${asked}`, { signal });
    draw();
  }, signal, (error) => {
    problem.hidden = !error;
    problem.textContent = error ? `The list is not up to date: ${error.message}` : "";
  });
  const chosen = () => {
    const asked = new URLSearchParams(Object.entries({ kind: kind.value, session: session.value }).filter(([, value]) => value));
    keep(`#/conversations${String(asked) && "?"}${asked}`);
    refresh();
  };
  kind.addEventListener("change", chosen);
  session.addEventListener("change", chosen);
  text.addEventListener("input", draw);
  again.addEventListener("click", refresh);
  keys([["j, k", "the next conversation, the one before"], ["Enter", "what was said in it"], ["/", "filter"], ["r", "refresh"]]);
  document.addEventListener("keydown", (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      text.focus();
    } else if (event.key === "r") refresh();
    else walk(event, () => [...body.querySelectorAll("a.title")]);
  }, { signal });
  return () => closing.abort();
}

function fits({ title, id, status }, sought) {
  const searched = `${title}\n${id}\n${status ?? ""}`.toLowerCase();
  return sought.every((word) => searched.includes(word));
}

function select(id, all, names, value) {
  const made = h("select", { id }, h("option", { value: "" }, all), names.map((name) => h("option", { value: name }, name)));
  made.value = value ?? "";
  return made;
}

// Sessions come and go; the one that is chosen stays on offer.
function offer(element, sessions) {
  const known = new Set([...element.options].map((option) => option.value));
  for (const name of sessions) if (!known.has(name)) element.append(h("option", { value: name }, name));
}

function row(each) {
  const title = each.title ? line(each.title, 120) : h("span", { class: "quiet" }, "nothing was said");
  return h("tr", {},
    h("th", { scope: "row" },
      h("a", { class: "title", href: `#/conversations/${encodeURIComponent(each.id)}` }, title), " ",
      each.status && h("span", { class: `badge ${tone(each.status)}` }, words(each.status))),
    h("td", {}, h("span", { class: "badge" }, KINDS[each.kind] ?? each.kind)),
    h("td", { class: "number" }, count(each.turns)),
    h("td", { class: "number" }, count(each.exchanges)),
    h("td", { class: "number" }, each.tokens ? `${count(each.tokens.input)} / ${count(each.tokens.output)}` : "–"),
    h("td", {}, h("time", { datetime: each.last }, clock(each.last))),
    h("td", {}, h("span", { class: "session" }, each.session)));
}

/** A time of day, in the reader's zone. */
export function clock(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toLocaleTimeString("en-GB");
}
