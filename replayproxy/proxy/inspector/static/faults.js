// What a session's requests are to meet: the faults that are planned, how often each was met, and more of them.

import { send } from "./api.js";
import { h } from "./dom.js";
import { changing } from "./refresh.js";

// What each kind takes beside how often and whom (docs/faults.md).
const KINDS = {
  status: ["status", "retry_after"],
  reset: [],
  timeout: ["for", "after", "after_events"],
  truncate: ["after", "after_events"],
};
const ABOUT = {
  status: "an error in the place of the answer",
  reset: "a connection that is reset",
  timeout: "silence, then the connection breaks",
  truncate: "an answer that breaks off",
};
const NUMBERS = {
  status: ["Status", { min: 400, max: 599, step: 1, placeholder: "503" }],
  retry_after: ["Retry after (seconds)", { min: 0, step: "any" }],
  for: ["For (seconds)", { min: 0, step: "any", placeholder: "30" }],
  after: ["After bytes", { min: 0, step: 1 }],
  after_events: ["After events", { min: 0, step: 1 }],
};
const SCOPE = { operation: "createRun", family: "chat", method: "POST", path: "/v1/chat/**" };

const NONE = "None. A fault makes requests fail on purpose, to see how an app tries again.";

/**
 * The part of a session's panel about faults: `{element, update(faults, operations)}`. `path` is the session's in the
 * admin API, `attempt(work, done)` does what may be refused and tells.
 */
export function faultsPart(path, attempt) {
  let planned = [];
  const set = (faults, done) => attempt(() => send("PUT", `${path}/faults`, { faults }), done);
  const list = h("div");
  const known = h("datalist", { id: "operations-asked" });
  const raw = editor((faults) => set(faults, "The plan is set"), () => planned);
  const element = h("section", { class: "faults" },
    h("h3", {}, "Faults"), list,
    h("details", {}, h("summary", {}, "Add a fault"), known, form((fault) => set([...planned, fault], "The fault is set"))),
    raw);
  const redraw = changing(list, ({ faults, met }) => current(faults, met, set));
  const offer = changing(known, (names) => names.map((value) => h("option", { value })));
  return {
    element,
    update({ faults, met }, operations) {
      planned = faults;
      redraw({ faults, met });
      offer(operations.map((each) => each.operation).filter(Boolean));
    },
  };
}

function current(faults, met, set) {
  if (!faults.length) return h("p", { class: "quiet" }, NONE);
  const without = (place) => faults.filter((_, index) => index !== place);
  return [
    h("ul", { class: "plain" }, faults.map((fault, place) => h("li", { class: "fault" },
      h("span", { class: "badge bad" }, fault.kind, fault.status ? ` ${fault.status}` : null), " ", h("span", {}, described(fault)), " ",
      h("span", { class: met[place] ? "badge warn" : "badge" }, times(met[place], fault.times)), " ",
      h("button", { "aria-label": `Remove fault ${place + 1}`, onclick: () => set(without(place), "The fault is removed") }, "Remove")))),
    h("p", { class: "buttons" }, h("button", { onclick: () => set([], "No faults any more") }, "Clear all faults"),
      h("span", { class: "quiet" }, "A change of the plan counts all of it anew.")),
  ];
}

function times(met, wanted) {
  return wanted === "always" ? `met ${met} times, for ever` : `met ${met} of ${wanted}`;
}

function described(fault) {
  const whom = Object.keys(SCOPE).filter((name) => fault[name]).map((name) => fault[name]);
  const facts = [
    whom.length ? whom.join(" ") : "every request",
    fault.after !== undefined && `after ${fault.after} bytes`,
    fault.after_events !== undefined && `after ${fault.after_events} events`,
    fault.for !== undefined && `for ${fault.for} s`,
    fault.retry_after !== undefined && `retry after ${fault.retry_after} s`,
  ];
  return facts.filter(Boolean).join(", ");
}

function form(add) {
  const kind = h("select", { name: "kind" }, Object.entries(ABOUT).map(([value, about]) => h("option", { value }, `${value}: ${about}`)));
  const number = ([name, [label, limits]]) => ({ name, label, input: h("input", { type: "number", name, ...limits }) });
  const numbers = Object.entries(NUMBERS).map(number);
  const labels = numbers.map((each) => h("label", {}, `${each.label} `, each.input));
  const count = h("input", { type: "number", name: "times", min: 1, step: 1, value: "1", required: true });
  const always = h("input", { type: "checkbox", name: "always" });
  const asText = { autocomplete: "off", spellcheck: "false" };
  const scope = Object.entries(SCOPE).map(([name, placeholder]) =>
    h("input", { name, placeholder, ...asText, list: name === "operation" ? "operations-asked" : null }));
  const arrange = () => {
    for (const [place, { name, input }] of numbers.entries()) {
      labels[place].hidden = !KINDS[kind.value].includes(name);
      input.required = name === "status" && kind.value === "status";
    }
    count.disabled = always.checked;
  };
  const made = h("form", { class: "inputs" },
    h("label", { class: "whole" }, "Kind ", kind), labels,
    h("label", {}, "Times ", count), h("label", { class: "check" }, always, " always"),
    h("fieldset", {}, h("legend", {}, "Whom it meets (nothing: every request)"),
      scope.map((input) => h("label", {}, `${input.name} `, input))),
    h("p", { class: "buttons" }, h("button", { class: "primary" }, "Add the fault")));
  kind.addEventListener("change", arrange);
  always.addEventListener("change", arrange);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fault = { kind: kind.value, times: always.checked ? "always" : Number(count.value) };
    for (const { name, input } of numbers) {
      if (KINDS[kind.value].includes(name) && input.value !== "") fault[name] = Number(input.value);
    }
    for (const input of scope) if (input.value.trim()) fault[input.name] = input.value.trim();
    if (await add(fault)) made.reset();
    arrange();
  });
  arrange();
  return made;
}

/** The whole plan as JSON, filled in when it is opened. */
function editor(set, planned) {
  const area = h("textarea", { rows: 8, spellcheck: "false", "aria-label": "The plan of faults as JSON", class: "mono" });
  const problem = h("p", { class: "error inline", role: "alert", hidden: true });
  const load = () => (area.value = JSON.stringify({ faults: planned() }, null, 2));
  const details = h("details", {}, h("summary", {}, "The plan as JSON"), area, problem,
    h("p", { class: "buttons" },
      h("button", { class: "primary", onclick: apply }, "Set the plan"), h("button", { onclick: load }, "Undo my changes")));
  details.addEventListener("toggle", () => details.open && load());
  async function apply() {
    let plan = null;
    problem.hidden = true;
    try {
      plan = JSON.parse(area.value);
      if (!Array.isArray(plan?.faults)) throw new Error('expected {"faults": [...]}');
    } catch (error) {
      problem.hidden = false;
      problem.textContent = `This is no plan: ${error.message}`;
      return;
    }
    if (await set(plan.faults)) load();
  }
  return details;
}
