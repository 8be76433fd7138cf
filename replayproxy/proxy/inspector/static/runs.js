// The life of a run: a bar of its states, each as long as it lasted, the same in words, and its steps.

import { callView } from "./calls.js";
import { duration, h } from "./dom.js";
import { count, many, marked } from "./texts.js";

const WIDTH = 1000;
const HEIGHT = 26;
const LEAST = 14; // so that a short state can be seen
const STEPS = { message_creation: "writes a message", tool_calls: "calls tools" };
const STATES = new Set([
  "queued", "in_progress", "requires_action", "cancelling", "completed", "failed", "expired", "cancelled", "incomplete",
]);

const TONES = {
  completed: "good", failed: "bad", expired: "bad", incomplete: "warn", cancelled: "warn", cancelling: "warn", requires_action: "warn",
  in_progress: "under_way",
};

/** The class of a run's status. */
export function tone(status) {
  return TONES[status] ?? "";
}

/** A status in words. */
export function words(status) {
  return status.replaceAll("_", " ");
}

/** A run with its bar, its states and its steps. */
export function runView(run) {
  const states = spans(run);
  return h("article", { class: "run", "aria-label": `Run ${run.id}` },
    h("h3", {}, "Run ", h("code", {}, marked(run.id)), " ", h("span", { class: `badge ${tone(run.status)}` }, words(run.status))),
    h("p", { class: "quiet" }, facts(run)),
    run.error && h("p", { class: "bad-text" }, marked(run.error)),
    states.length > 0 && bar(run, states),
    h("ol", { class: "states", "aria-label": "States" }, states.map(stateView)),
    run.steps.length > 0 && [
      h("h4", {}, many(run.steps.length, "step")),
      h("ol", { class: "steps", "aria-label": "Steps" }, run.steps.map(stepView)),
    ]);
}

function facts(run) {
  const told = [run.model, `seen for ${duration(run.seconds)}`, run.polls > 0 && `polled ${many(run.polls, "time")}`,
    run.tokens && `${count(run.tokens.input)} tokens in, ${count(run.tokens.output)} out`, ownTime(run.times)];
  return told.filter(Boolean).map((fact, place) => [place ? " · " : "", marked(String(fact))]);
}

// How long it took by its own times, which are whole seconds.
function ownTime(times) {
  const end = times.completed_at ?? times.failed_at ?? times.cancelled_at;
  return end !== undefined && times.created_at !== undefined ? `${count(end - times.created_at)} s by the API's clock` : "";
}

function spans(run) {
  return run.states.map((state, place) => {
    const next = run.states[place + 1];
    return { ...state, last: !next, lasted: Math.max(0, (next ? next.at : run.seconds) - state.at) };
  });
}

function bar(run, states) {
  const whole = states.reduce((sum, state) => sum + state.lasted, 0) || 1;
  const free = WIDTH - LEAST * states.length;
  let x = 0;
  const label = states.map((state) => `${words(state.status)}${state.last ? "" : ` ${lasted(state)}`}`).join(", then ");
  const frame = { class: "life", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" };
  return h("svg", { ...frame, "aria-label": `${run.id}: ${label}` },
    states.map((state) => {
      const width = LEAST + (free * state.lasted) / whole;
      const made = h("rect", { x, y: 0, width: Math.max(1, width - 2), height: HEIGHT, class: shade(state.status) },
        h("title", {}, `${words(state.status)}, ${duration(state.lasted)}`));
      x += width;
      return made;
    }));
}

const lasted = (state) => (state.lasted ? `for ${duration(state.lasted)}` : "at once");

function shade(status) {
  return `state-${STATES.has(status) ? status : "other"}`;
}

function stateView(state) {
  return h("li", {},
    h("span", { class: `swatch ${shade(state.status)}`, "aria-hidden": "true" }),
    h("span", { class: "state" }, words(state.status)), " ",
    h("span", { class: "quiet" }, state.last ? `at ${duration(state.at)}` : lasted(state), state.implied && ", not seen"), " ",
    h("a", { href: `#/exchanges/${Number(state.exchange)}`, "aria-label": `Exchange ${state.exchange}` }, `#${state.exchange}`));
}

function stepView(step) {
  return h("li", {},
    h("p", {}, STEPS[step.type] ?? words(step.type || "step"), " ",
      h("span", { class: `badge ${tone(step.status)}` }, words(step.status)), " ",
      h("code", { class: "quiet" }, marked(step.id)), " ",
      step.tokens && h("span", { class: "quiet" }, `${count(step.tokens.input)} tokens in, ${count(step.tokens.output)} out `),
      h("a", { href: `#/exchanges/${Number(step.exchange)}`, "aria-label": `Exchange ${step.exchange}` }, `#${step.exchange}`)),
    step.tool_calls.map((call) => {
      const shown = callView(call);
      shown.removeAttribute("open");
      return shown;
    }));
}
