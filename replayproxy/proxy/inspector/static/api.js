// The admin API of the proxy that served this page.

const HEADER = "x-replayproxy-token";
const KEPT = "replayproxy-token";

/** What the proxy refused; `code` and `problems` ([{field, message}]) are the admin API's own. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `the proxy answered ${status}`);
    this.status = status;
    this.code = error?.code ?? "";
    this.problems = error?.problems ?? [];
  }
}

/** Takes the token out of the address (`#token=…`, or `#token=…&view=/sessions`), where the terminal's link has it. */
export function takeToken() {
  const found = /^#token=([^&]+)(?:&view=(.*))?$/.exec(location.hash);
  if (!found) return;
  setToken(decodeURIComponent(found[1]));
  history.replaceState(null, "", `${location.pathname}#${found[2] || "/"}`);
}

export function setToken(token) {
  sessionStorage.setItem(KEPT, token);
}

export function hasToken() {
  return Boolean(sessionStorage.getItem(KEPT));
}

function headers(more = {}) {
  const token = sessionStorage.getItem(KEPT);
  return token ? { [HEADER]: token, ...more } : more;
}

let askForToken = null;

/** Says who asks for the token when it is missing: an async function that gives true when there is another one to try. */
export function onLocked(ask) {
  askForToken = ask;
}

async function asked(path, options = {}) {
  for (;;) {
    const response = await fetch(path, { ...options, headers: headers(options.headers), cache: "no-store" });
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    if (response.status === 401 && askForToken && (await askForToken())) continue;
    throw new Refused(response.status, told.error);
  }
}

/** JSON from the admin API: `get("/exchanges/12")`. Throws Refused. */
export async function get(path, { signal } = {}) {
  return (await asked(path, { signal })).json();
}

/** The bytes of an answer, as a Blob. */
export async function blob(path) {
  return (await asked(path)).blob();
}

/** The text of an answer. */
export async function text(path) {
  return (await asked(path)).text();
}

/** Sends JSON with POST, PUT or DELETE and gives the JSON that comes back. */
export async function send(method, path, value, { signal } = {}) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const more = body === undefined ? {} : { "content-type": "application/json" };
  const response = await asked(path, { method, body, signal, headers: more });
  return response.status === 204 ? null : response.json();
}

/**
 * Reads an event stream until it ends or `signal` aborts: `listen("/feed", {exchanges: data => …}, signal)`.
 * `handlers` are by event name and get the event's data as JSON has it. Gives when the stream has ended.
 */
export async function listen(path, handlers, signal) {
  const response = await asked(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let event = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) event = line.slice(7);
        else if (line.startsWith("data: ")) data.push(line.slice(6));
      }
      if (data.length && handlers[event]) handlers[event](JSON.parse(data.join("\n")));
    }
  }
}
