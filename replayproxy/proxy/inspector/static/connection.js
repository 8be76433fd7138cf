// Whether the proxy is there, in which mode and version: asked every few seconds while the page can be seen.

import { Refused, get } from "./api.js";
import { fill, h } from "./dom.js";

const EVERY = 5000;

/** Keeps `element` up to date. */
export function watchConnection(element) {
  let version = "";
  let timer = 0;
  let last = "";

  async function look() {
    clearTimeout(timer);
    const ready = await told("/ready");
    if (ready && !version) version = (await told("/health"))?.version ?? "";
    const now = JSON.stringify([ready?.mode ?? "", ready?.status ?? "", version]);
    if (now !== last) show(element, ready, version);
    last = now;
    if (!document.hidden && !ready?.locked) timer = setTimeout(look, EVERY);
  }

  document.addEventListener("visibilitychange", () => document.hidden || look());
  window.addEventListener("online", look);
  document.addEventListener("replayproxy-connection", look);
  look();
}

/** Looks again at once: a stream broke, or is there again. */
export function lookAgain() {
  document.dispatchEvent(new Event("replayproxy-connection"));
}

// What is answered there; null when nobody answers. A proxy that wants to be unlocked first does answer.
async function told(path) {
  try {
    return await get(path);
  } catch (error) {
    return error instanceof Refused ? { mode: "locked", status: "ready", locked: true } : null;
  }
}

function show(element, ready, version) {
  element.dataset.state = ready ? (ready.status === "ready" ? "good" : "busy") : "bad";
  element.title = ready ? `replayproxy ${version}, mode ${ready.mode}` : "The proxy does not answer: is it still running?";
  fill(element,
    h("span", { class: "dot", "aria-hidden": "true" }),
    ready ? h("span", { class: "mode" }, ready.mode ?? "") : "no connection",
    ready && ready.status !== "ready" ? ` ${ready.status}` : null,
    ready && version ? h("span", { class: "quiet version" }, version) : null,
  );
}
