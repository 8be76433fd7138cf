// One conversation, as people read one: who said what, which tools were called with what, and what they gave.

import { get } from "./api.js";
import { callView } from "./calls.js";
import { fill, h } from "./dom.js";
import { clock, KINDS } from "./conversations.js";
import { keys, typing } from "./main.js";
import { changing, every, keyed } from "./refresh.js";
import { runView } from "./runs.js";
import { count, many, marked } from "./texts.js";

const SECONDS = 2;
const ROLES = {
  user: "User", assistant: "Assistant", system: "System", developer: "Developer", tool: "Tool", reasoning: "Reasoning", error: "Refused",
};

export async function show(view, { params }) {
  const closing = new AbortController();
  const { signal } = closing;
  const head = h("header", { class: "talk-head" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const turns = h("ol", { class: "turns", "aria-label": "Turns" });
  const runs = h("section", { class: "runs", "aria-label": "Runs" });
  fill(view, h("div", { class: "pad talk" }, head, problem, h("div", { class: "talk-parts" }, turns, runs)));

  const drawHead = changing(head, heading);
  const drawTurns = keyed(turns, (each) => each.key, turnView);
  const drawRuns = keyed(runs, (each) => each.id, runView);
  every(SECONDS, async () => {
    const found = await get(`/conversations/${encodeURIComponent(params.id)}`, { signal });
    const { turns: said, runs: made, ...facts } = found;
    drawHead(facts);
    drawTurns(said.map((each, place) => ({ ...each, key: place, runKnown: made.some((run) => run.id === each.run) })));
    drawRuns(made);
    view.classList.toggle("with-runs", made.length > 0);
  }, signal, (error) => {
    problem.hidden = !error;
    problem.textContent = error ? error.message : "";
  });
  keys([["j, k", "the next turn, the one before"], ["Enter", "the exchange of the turn"]]);
  document.addEventListener("keydown", (event) => walkTurns(event, turns), { signal });
  return () => closing.abort();
}

function walkTurns(event, list) {
  if (typing(event) || document.querySelector("dialog[open]")) return;
  const here = document.activeElement.closest?.(".turns > li");
  const step = { j: 1, k: -1 }[event.key];
  if (step) {
    const all = [...list.children];
    const next = all[here ? Math.max(0, Math.min(all.length - 1, all.indexOf(here) + step)) : 0];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter" && document.activeElement === here) here?.querySelector("a.exchange")?.click();
}

function heading({ id, kind, title, session, first, last, numbers, tokens }) {
  const own = id.slice(session.length + 1);
  return [
    h("h2", {}, title ? marked(title) : "A conversation in which nothing was said"),
    h("p", { class: "quiet" },
      h("span", { class: "badge" }, KINDS[kind] ?? kind), " ", h("code", {}, own), ` · session ${session} · `, exchanges(numbers),
      tokens && ` · ${count(tokens.input)} tokens in, ${count(tokens.output)} out`,
      " · ", h("time", { datetime: first }, clock(first)), " – ", h("time", { datetime: last }, clock(last))),
  ];
}

function exchanges(numbers) {
  const shown = numbers.slice(0, 12).map((number, place) => [place ? ", " : "", h("a", { href: `#/exchanges/${Number(number)}` }, number)]);
  return [`${many(numbers.length, "exchange")}: `, shown, numbers.length > 12 && ` and ${count(numbers.length - 12)} more`];
}

function turnView(turn) {
  const name = ROLES[turn.role] ?? turn.role;
  const known = turn.role in ROLES ? turn.role : "other";
  const number = Number(turn.exchange);
  const link = number ? h("a", { class: "exchange", href: `#/exchanges/${number}`, "aria-label": `Exchange ${number}` }, `#${number}`) : null;
  return h("li", { class: `turn ${known}`, tabindex: "-1", "data-exchange": turn.exchange },
    h("div", { class: "who" }, h("strong", {}, marked(name)),
      turn.at && h("time", { class: "quiet", datetime: turn.at }, clock(turn.at)),
      turn.run && turn.runKnown && h("span", { class: "quiet" }, "run ", h("code", {}, marked(turn.run))),
      link),
    turn.branch && h("p", { class: "branch" }, "goes on from ",
      h("a", { href: `#/exchanges/${Number(turn.branch)}` }, `exchange ${turn.branch}`)),
    turn.text && h("div", { class: "words" }, marked(turn.text)),
    turn.left_out > 0 && h("p", { class: "quiet" }, `${count(turn.left_out)} characters more in the exchange`),
    turn.images > 0 && h("p", { class: "quiet" }, many(turn.images, "image")),
    turn.files > 0 && h("p", { class: "quiet" }, many(turn.files, "attachment")),
    turn.tool_calls.map(callView));
}
