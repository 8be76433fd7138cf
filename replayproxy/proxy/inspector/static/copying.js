// A request as something to paste: a menu that copies it, and a dialog that shows it first.

import { text } from "./api.js";
import { announce, copy, fill, h } from "./dom.js";

const FORMS = [
  ["curl", "curl"],
  ["openai", "Python (openai)"],
  ["httpx", "Python (httpx)"],
  ["javascript", "JavaScript (fetch)"],
  ["har", "HAR"],
];

/** A button with a menu that copies `{kind: "exchange"|"interaction", number, path?}` in the form that is chosen. */
export function copyMenu(target) {
  const button = h("button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => (menu.hidden ? open(0) : close()) }, "Copy as ▾");
  const item = (name, act) => h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => chosen(act) }, name);
  const items = [
    ...FORMS.map(([form, name]) => item(name, () => copyForm(target, form, name))),
    item("Show …", () => showForms(target, button)),
  ];
  const menu = h("div", { role: "menu", "aria-label": "Copy as", hidden: true }, items);
  const node = h("span", { class: "copy-as" }, button, menu);

  function open(index) {
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    menu.classList.toggle("at-right", menu.getBoundingClientRect().right > document.documentElement.clientWidth);
    document.addEventListener("pointerdown", outside, true);
    items.at(index).focus();
  }

  function close(back = true) {
    if (menu.hidden) return;
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (back) button.focus();
  }

  function outside(event) {
    if (!node.contains(event.target)) close(false);
  }

  async function chosen(act) {
    close();
    try {
      await act();
    } catch (error) {
      announce(`Not copied: ${error.message}`);
    }
  }

  node.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !node.contains(event.relatedTarget)) close(false);
  });
  node.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const opening = { ArrowDown: () => open(0), ArrowUp: () => open(-1) };
    const moving = {
      ArrowDown: () => items[(at + 1) % items.length].focus(),
      ArrowUp: () => items.at(at - 1).focus(),
      Home: () => items[0].focus(),
      End: () => items.at(-1).focus(),
      Escape: () => close(),
    };
    const act = (menu.hidden ? opening : moving)[event.key];
    // While the menu is open, letters are not the page's keys.
    if (act || (!menu.hidden && event.key.length === 1)) event.stopPropagation();
    if (!act) return;
    event.preventDefault();
    act();
  });
  return node;
}

function address({ kind, number, path }, form, direct = false) {
  const of = kind === "exchange" ? `/exchanges/${number}` : `/cassettes/${encodeURIComponent(path)}/interactions/${number}`;
  return `${of}/as/${form}${direct ? "?direct=1" : ""}`;
}

async function copyForm(target, form, name) {
  await copy(await text(address(target, form)), `Copied as ${name}`);
}

// What is going to be pasted, to be read first.
function showForms(target, opener) {
  const shown = h("pre", { class: "copied", tabindex: "0", "aria-label": "What is copied" });
  const form = h("select", { onchange: load }, FORMS.map(([value, name]) => h("option", { value }, name)));
  const direct = h("input", { type: "checkbox", onchange: load });
  const told = h("p", { class: "quiet", role: "status" });
  const take = h("button", { type: "button", class: "primary", onclick: () => copied() }, "Copy");
  const dialog = h("dialog", { class: "copy-dialog", "aria-labelledby": "copy-title" },
    h("h2", { id: "copy-title" }, "Copy as"),
    h("p", { class: "buttons" }, h("label", {}, "Form ", form), h("label", {}, direct, " ask the API itself, not this proxy")),
    shown,
    told,
    h("form", { method: "dialog", class: "buttons" }, take, h("button", {}, "Close")));
  let turn = 0;

  async function load() {
    const mine = ++turn;
    direct.disabled = form.value === "har";
    take.disabled = true;
    let loaded = "";
    let problem = "";
    try {
      loaded = await text(address(target, form.value, direct.checked));
    } catch (error) {
      problem = error.message;
    }
    if (mine !== turn) return;
    fill(shown, loaded);
    fill(told, problem || (form.value === "har" ? "" : "The key is read from OPENAI_API_KEY where it runs."));
    take.disabled = Boolean(problem);
  }

  async function copied() {
    await navigator.clipboard.writeText(shown.textContent).then(
      () => fill(told, "Copied."),
      () => {
        getSelection().selectAllChildren(shown);
        fill(told, "The browser does not let this page copy: it is selected, press Ctrl+C.");
      },
    );
  }

  dialog.addEventListener("close", () => {
    dialog.remove();
    opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return load();
}
