// Exchanges saved into cassettes, and interactions edited and deleted there.

import { get, send } from "./api.js";
import { sure } from "./asking.js";
import { codeBox } from "./codebox.js";
import { announce, fill, h } from "./dom.js";
import { resetButton } from "./miss.js";
import { marked } from "./texts.js";

const UNSAVED = new Set(["missed", "failed", "gone", "under_way"]);
const LINE = /^line (\d+)/;

/** The button that saves an exchange; for an interaction, what can be done with that; null when there is no answer to save. */
export function saveButton(detail, what) {
  if (what?.kind === "interaction") return interactionTools(detail, what);
  if (UNSAVED.has(detail.outcome) || !detail.response) return null;
  return h("button", { type: "button", onclick: () => saveDialog(detail) }, "Save to cassette");
}

/** The buttons that edit and delete an interaction (`GET /cassettes/PATH/interactions/N`). */
export function interactionTools(detail, what = { path: detail.cassette, number: detail.interaction }) {
  const address = `/cassettes/${encodeURIComponent(what.path)}/interactions/${what.number}`;
  return h("span", { class: "buttons" },
    h("a", { class: "button", href: `#/send?from=${encodeURIComponent(`${what.path}#${what.number}`)}` }, "Edit and send"),
    h("button", { type: "button", onclick: () => editDialog(detail, address) }, "Edit YAML"),
    h("button", { type: "button", class: "danger", onclick: () => remove(what, address) }, "Delete"));
}

// -- dialogs

function opened(name, title, content, submit, action) {
  const told = h("div", { class: "told", role: "alert" });
  const button = h("button", { class: "primary" }, action);
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h("form", { method: "dialog", onsubmit: (event) => {
    event.preventDefault();
    run();
  } }, h("h2", { id: `${name}-title` }, title), content, told, h("p", { class: "buttons" }, button, close));
  const dialog = h("dialog", { "aria-labelledby": `${name}-title`, class: name }, form);
  const run = async () => {
    button.disabled = true;
    fill(told);
    try {
      await submit({ dialog, told, done });
    } catch (error) {
      fill(told, h("p", { class: "notice" }, error.message));
      if (error.problems?.length) submit.failed?.(error, told);
    } finally {
      button.disabled = false;
    }
  };
  // What was done, in the place of the fields.
  const done = (...children) => {
    const over = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Close");
    fill(form, h("h2", { id: `${name}-title` }, title), children, h("p", { class: "buttons" }, over));
    over.focus();
  };
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

async function saveDialog(detail) {
  const list = h("datalist", { id: "save-cassettes" });
  const input = h("input", { id: "save-cassette", list: "save-cassettes", autocomplete: "off", placeholder: "the session's own" });
  opened("save", `Save exchange ${detail.number}`, [
    h("p", {}, "It becomes the last interaction of a cassette, as it is shown here: redacted."),
    h("p", {}, h("label", { for: "save-cassette" }, "Cassette "), input, list),
    h("p", { class: "quiet" }, "A new name such as ", h("code", {}, "checkout.yaml"), " begins a new cassette in the folder of cassettes."),
  ], async ({ done }) => {
    const wanted = input.value.trim();
    const saved = await send("POST", `/exchanges/${detail.number}/save`, wanted ? { cassette: wanted } : {});
    const href = `#/cassettes/${encodeURIComponent(saved.cassette)}/interactions/${saved.interaction}`;
    const close = (event) => event.target.closest("dialog").close();
    const link = h("a", { href, onclick: close }, `interaction ${saved.interaction} of ${saved.cassette}`);
    done(h("p", {}, "Saved as ", link, "."), stale(saved.stale_sessions));
    announce("Saved");
  }, "Save");
  const { cassettes } = await get("/cassettes");
  fill(list, cassettes.map(({ path }) => h("option", { value: path })));
}

function editDialog(detail, address) {
  const box = codeBox({ label: "The document in the file", value: detail.yaml, rows: 22 });
  const submit = async ({ done }) => {
    box.mark([]);
    const edited = await send("PUT", address, { yaml: box.value });
    const redacted = edited.redacted ? h("p", { class: "notice" }, "Secrets in it were redacted before it was written.") : null;
    const told = h("p", {}, "The interaction was changed; what the file was is kept beside it, its name ending in ~.");
    done(told, redacted, stale(edited.stale_sessions));
    announce("Changed");
    changed = true;
  };
  submit.failed = ({ problems }, told) => {
    const lines = problems.map(({ message }) => Number(LINE.exec(message)?.[1] ?? 0)).filter(Boolean);
    box.mark(lines);
    const onclick = () => box.goTo(lines[0]);
    if (lines.length) told.append(h("button", { type: "button", class: "small", onclick }, `Go to line ${lines[0]}`));
  };
  let changed = false;
  const dialog = opened("edit-yaml", `Edit interaction ${detail.interaction ?? detail.number}`, box.node, submit, "Save");
  dialog.addEventListener("close", () => {
    if (changed) window.dispatchEvent(new HashChangeEvent("hashchange")); // the view shows it as it is now
  });
}

async function remove({ path, number }, address) {
  const text = `It is taken out of ${path}; the interactions after it move up. What the file was is kept beside it as ${path}~.`;
  if (!(await sure({ title: `Delete interaction ${number}?`, text, action: "Delete" }))) return;
  const { stale_sessions: names, interactions } = await send("DELETE", address);
  location.hash = `#/cassettes/${encodeURIComponent(path)}`;
  announce(`Deleted; ${interactions} left`);
  if (names.length) opened("stale", `Interaction ${number} was deleted`, stale(names), async ({ dialog }) => dialog.close(), "Close");
}

/** Which sessions play the cassette as it was, and the buttons that reset them; null when none does. */
export function stale(names) {
  if (!names?.length) return null;
  return h("div", { class: "stale" },
    h("p", {}, names.length === 1 ? "A session plays this cassette. It knows nothing of the change until it is reset:"
      : "Sessions play this cassette. They know nothing of the change until they are reset:"),
    h("ul", {}, names.map((name) => h("li", {}, marked(name), " ", resetButton(name)))));
}
