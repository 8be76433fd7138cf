// A request that somebody writes, checked while it is written, and sent through the proxy.

import { get, hasToken, send } from "./api.js";
import { addressOf, diffAddress } from "./cassette_paths.js";
import { announce, fill, h, size } from "./dom.js";
import { bodyEditor } from "./edited_body.js";
import { fieldEditor } from "./field_editor.js";
import { keys } from "./main.js";
import { marked } from "./texts.js";
import { unlock } from "./unlock.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const WAIT = 250; // milliseconds after the last key before it is checked
const CHECKED = 2_000_000; // characters of a body; a larger one is not checked
const NEW = {
  method: "POST",
  target: "/v1/chat/completions",
  headers: [["content-type", "application/json"]],
  text: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Say hello." }] }, null, 2),
};

let key = ""; // typed here, kept as long as the page is open, and nowhere else

export async function show(view, { params, query, current }) {
  const from = params.number ? `exchange:${params.number}` : query.get("from") ?? "";
  const stop = new AbortController();
  const detail = from ? await get(addressOf(from), { signal: stop.signal }) : null;
  const asked = detail?.request ?? { ...NEW, body: { size: NEW.text.length, media: "application/json", text: NEW.text } };
  keys([["Ctrl Enter", "send"]]);
  const editor = new Editor(from, asked, query.get("session") ?? detail?.session ?? "default", stop.signal);
  editor.body = await bodyEditor(asked.body, `${addressOf(from || "exchange:0")}/request/body`, () => editor.changed());
  if (!current()) return undefined;
  fill(view, editor.form());
  editor.check();
  editor.nameSessions();
  return () => {
    stop.abort();
    clearTimeout(editor.timer);
  };
}

class Editor {
  constructor(from, asked, session, signal) {
    Object.assign(this, { from, signal, sending: null, turn: 0 });
    const changed = () => this.changed();
    this.method = h("input", { id: "edit-method", list: "edit-methods", size: "9", value: asked.method, required: true, oninput: changed });
    this.target = h("input", { id: "edit-target", class: "mono wide", value: asked.target, required: true, oninput: changed });
    this.session = h("input", { id: "edit-session", list: "edit-sessions", size: "18", value: session });
    const keep = () => (key = this.key.value);
    this.key = h("input", { id: "edit-key", type: "password", size: "24", autocomplete: "off", value: key, oninput: keep });
    this.fields = fieldEditor(asked.headers, changed);
    this.operation = h("code", { class: "operation" });
    this.problems = h("div", { class: "problems", role: "status", "aria-label": "Problems" });
    this.result = h("div", { class: "result", role: "status", "aria-label": "Result" });
    this.sessions = h("datalist", { id: "edit-sessions" });
    this.sendButton = h("button", { class: "primary", "aria-keyshortcuts": "Control+Enter" }, "Send");
  }

  form() {
    const labelled = (id, name, field, note = null) => h("div", { class: "edit-field" }, h("label", { for: id }, name), field, note);
    return h("form", { class: "pad edit", novalidate: true, onsubmit: (event) => {
      event.preventDefault();
      this.send();
    }, onkeydown: (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.send();
      }
    } },
      h("h2", {}, this.from ? ["Edit and resend ", this.link()] : "New request"),
      h("div", { class: "edit-line" },
        labelled("edit-method", "Method", this.method), labelled("edit-target", "Path and query", this.target)),
      h("datalist", { id: "edit-methods" }, METHODS.map((each) => h("option", { value: each }))), this.sessions,
      h("p", { class: "operation-line" }, h("span", { class: "quiet" }, "operation "), this.operation),
      h("div", { class: "edit-line" }, labelled("edit-session", "Session", this.session),
        labelled("edit-key", "API key", this.key,
          h("span", { class: "quiet" }, " sent as Authorization, kept in this page's memory only"))),
      h("h3", {}, "Headers"), this.fields.node,
      h("h3", {}, "Body"), this.body.node, this.problems,
      h("p", { class: "buttons" }, this.sendButton, h("kbd", {}, "Ctrl Enter")), this.result);
  }

  link() {
    return h("a", { href: `#${addressOf(this.from)}` }, marked(this.from.replace("exchange:", "exchange ")));
  }

  message() {
    const headers = this.fields.value();
    return { method: this.method.value.trim(), target: this.target.value.trim(), headers, body: this.body.body(headers) };
  }

  // -- while it is written

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), WAIT);
  }

  async check() {
    const turn = ++this.turn;
    if (!hasToken()) {
      const ask = h("button", { type: "button", class: "small", onclick: async () => (await unlock()) && this.check() }, "Unlock");
      return fill(this.problems, h("p", { class: "quiet" }, "To check and to send takes the admin token. ", ask));
    }
    const message = this.message();
    if ((message.body.text ?? message.body.base64 ?? "").length > CHECKED) {
      return fill(this.problems, h("p", { class: "quiet" }, "A body this large is not checked."));
    }
    let found;
    try {
      found = await send("POST", "/validate", message, { signal: this.signal });
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      const told = error.problems?.length ? error.problems.map(({ field, message: text }) => `${field}: ${text}`) : [error.message];
      found = { operation: null, problems: told.map((text) => ({ message: text, param: null, warning: false, line: null })) };
    }
    if (turn === this.turn) this.tell(found);
    return undefined;
  }

  tell({ operation, problems }) {
    this.operation.textContent = operation ?? "none that the catalog knows";
    this.body.box?.mark(problems.map(({ line }) => line).filter(Boolean));
    if (!problems.length) return fill(this.problems, h("p", { class: "fine" }, "No problem found."));
    return fill(this.problems, h("ul", { class: "problem-list" }, problems.map((each) => this.problem(each))));
  }

  problem({ message, param, warning, line, column }) {
    const onclick = () => this.body.box.goTo(line, column ?? 1);
    const place = `line ${line}${column ? `, column ${column}` : ""}`;
    const jump = line && this.body.box ? h("button", { type: "button", class: "small", onclick }, place) : null;
    const about = param ? h("code", {}, marked(param)) : null;
    return h("li", { class: warning ? "note-line warning" : "note-line" }, marked(message), " ", about, " ", jump);
  }

  async nameSessions() {
    const { sessions } = await get("/sessions", { signal: this.signal });
    fill(this.sessions, sessions.map(({ name }) => h("option", { value: name })));
  }

  // -- sending

  async send() {
    if (this.sending) return;
    this.sending = new AbortController();
    this.signal.addEventListener("abort", () => this.sending?.abort());
    this.sendButton.disabled = true;
    const began = performance.now();
    const seconds = h("span", {}, "0 s");
    const clock = setInterval(() => (seconds.textContent = `${Math.round((performance.now() - began) / 1000)} s`), 1000);
    const stop = h("button", { type: "button", class: "small", onclick: () => this.sending?.abort() }, "Stop waiting");
    fill(this.result, h("p", {}, "Sending… ", seconds, " ", stop));
    try {
      const asked = { ...this.message(), session: this.session.value.trim() || "default", ...(key ? { key } : {}) };
      this.became(await send("POST", "/send", asked, { signal: this.sending.signal }));
    } catch (error) {
      const told = error.name === "AbortError" ? "Nobody waits for it any more; the list shows what became of it." : error.message;
      const more = (error.problems ?? []).map(({ field, message }) => h("li", {}, `${field}: ${message}`));
      fill(this.result, h("p", { class: "notice" }, told), more.length > 1 ? h("ul", {}, more) : null);
    } finally {
      clearInterval(clock);
      this.sending = null;
      this.sendButton.disabled = false;
    }
  }

  became({ number, status, outcome, received, why, notes }) {
    const links = number ? [h("a", { class: "button", href: `#/exchanges/${number}` }, `Exchange ${number}`),
      this.from ? h("a", { class: "button", href: diffAddress(this.from, `exchange:${number}`) }, "Diff with the original") : null] : null;
    fill(this.result, h("h3", {}, "Result"),
      h("p", { class: "badges" }, outcome ? h("span", { class: `badge ${outcome}` }, outcome.replace("_", " ")) : null, " ",
        h("span", { class: `badge ${!status || status >= 400 ? "bad" : "good"}` }, status || "no answer"), ` ${size(received)} received`),
      why ? h("p", { class: "notice" }, marked(why)) : null, notes.map((note) => h("p", { class: "notice" }, marked(note))),
      h("p", { class: "buttons" }, links));
    announce(status ? `Answered with ${status}` : "No answer came");
  }
}
