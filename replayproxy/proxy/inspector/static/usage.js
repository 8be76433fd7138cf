// Tokens and costs by session and model, and what playing recordings saved.

import { get } from "./api.js";
import { copy, duration, fill, h } from "./dom.js";
import { changing, every } from "./refresh.js";
import { count, many, marked } from "./texts.js";

const SECONDS = 3;
const NOT_KNOWN = "Nothing was played, or its cassettes cannot be read.";
const AMOUNTS = ["Exchanges", "Input", "Cached", "Output", "Reasoning", "Cost"];
const BADGES = { sent: ["saved", "from the upstream"], played: ["played", "played"] };
const NAMES = ["input", "cached", "output", "reasoning"];

export async function show(view) {
  const closing = new AbortController();
  const { signal } = closing;
  const box = h("div", { class: "pad spent" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const again = h("button", { type: "button" }, "Refresh");
  fill(view, h("div", { class: "pad talk-bar" }, h("h2", {}, "Usage"), again), problem, box);
  const draw = changing(box, whole);
  const refresh = every(SECONDS, async () => draw(await get("/usage", { signal })), signal, (error) => {
    problem.hidden = !error;
    problem.textContent = error ? `The numbers are not up to date: ${error.message}` : "";
  });
  again.addEventListener("click", refresh);
  return () => closing.abort();
}

function whole(usage) {
  if (!usage.total.exchanges) return h("p", { class: "empty" }, "No exchange yet.");
  const money = moneyOf(usage);
  return [cards(usage, money), ...usage.sessions.map((each) => sessionView(each, money)), prices(usage)];
}

function cards({ total, emulated }, money) {
  const { played, seconds } = total;
  const saved = seconds.recorded === null ? null : Math.max(0, seconds.recorded - seconds.played);
  const card = (name, value, more) => h("div", { class: "card" },
    h("dt", {}, name), h("dd", {}, value, h("div", { class: "quiet" }, more)));
  return h("dl", { class: "cards" },
    card("Sent to the upstream", `${count(total.input + total.output)} tokens`,
      [money.of(total.cost), emulated && h("div", {}, "The upstream is the emulator now: what it answers costs nothing.")]),
    card("Saved by playback", `${count(played.input + played.output)} tokens`,
      [money.of(played.cost), ` · ${many(played.exchanges, "played answer")}`]),
    card("Time saved", saved === null ? "not known" : duration(saved),
      saved === null ? NOT_KNOWN : `recorded in ${duration(seconds.recorded)}, played in ${duration(seconds.played)}`));
}

function sessionView(session, money) {
  const rows = session.models
    .flatMap((each) => [["sent", each], ["played", { model: each.model, ...each.played }]])
    .filter(([, amount]) => amount.exchanges);
  return h("section", { class: "session-usage", "aria-label": `Session ${session.session}` },
    h("h3", {}, "Session ", h("span", { class: "mono" }, session.session), " ",
      h("span", { class: "quiet" }, `${many(session.exchanges, "exchange")}, ${count(session.played)} played`)),
    rows.length
      ? h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Usage of session ${session.session}` },
        table(session, rows, money))
      : h("p", { class: "quiet" }, "None of its answers told of tokens."));
}

function table(session, rows, money) {
  return h("table", { class: "talks" }, h("caption", { class: "offscreen" }, `Usage of session ${session.session} by model`),
    h("thead", {}, h("tr", {}, ["Model", "Answers"].map((name) => h("th", { scope: "col" }, name)),
      AMOUNTS.map((name) => h("th", { scope: "col", class: "number" }, name)))),
    h("tbody", {}, rows.map(([kind, amount]) => h("tr", {},
      h("th", { scope: "row" }, amount.model ? marked(amount.model) : h("span", { class: "quiet" }, "unknown model")),
      h("td", {}, h("span", { class: `badge ${BADGES[kind][0]}` }, BADGES[kind][1])),
      h("td", { class: "number" }, count(amount.exchanges)),
      NAMES.map((name) => h("td", { class: "number" }, count(amount[name]))),
      h("td", { class: "number" }, amount.cost === null ? h("span", { class: "quiet" }, "no price") : money.of(amount.cost))))));
}

function moneyOf({ currency, priced }) {
  const of = (cost) => {
    if (cost === null) return priced ? "no price" : "no prices are set";
    const digits = cost > 0 && cost < 1 ? 6 : 2;
    return `${cost.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: digits })} ${currency}`;
  };
  return { of };
}

// What to write into the config file: every model that has no price yet.
function prices({ priced, unpriced, currency }) {
  const models = unpriced.filter(Boolean);
  if (!models.length) return null;
  const lines = models.map((model) => `  ${JSON.stringify(model)}: {input: 0.00, cached: 0.00, output: 0.00}\n`);
  const yaml = `prices:\n${lines.join("")}currency: ${currency}\n`;
  return h("section", { class: "prices", "aria-label": "Prices" },
    h("h3", {}, priced ? "Models without a price" : "What does that cost?"),
    h("p", {}, "replayproxy knows no prices. Write yours into ", h("code", {}, "replayproxy.yaml"),
      ", for a million tokens each, and start it again; ", h("code", {}, "gpt-4o*"), " names several models at once:"),
    h("pre", { class: "snippet", tabindex: "0" }, yaml),
    h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => copy(yaml, "The table is in the clipboard") }, "Copy")));
}
