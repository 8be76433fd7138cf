// Tabs as the ARIA practices have them: one tab stop, arrows choose, the panel is made when it is first looked at.

import { fill, h } from "./dom.js";

let made = 0;
// What was chosen last in tabs of a name: going from one exchange to the next keeps the view.
const chosenLast = new Map();

/**
 * Tabs with their panels: `tabs("Response", [{id: "body", name: "Body", note: "2.1 kB", make: () => node}], "events")`.
 * `first` is the id shown when the reader has not chosen another one before. Gives the element; its `update(pages)`
 * takes other pages: one of the same id with `keep: true` stays as it is.
 */
export function tabs(label, pages, first) {
  const prefix = `tabs-${++made}`;
  const list = h("div", { role: "tablist", "aria-label": label, class: "tablist" });
  const panels = h("div", { class: "panels" });
  const element = h("div", { class: "tabs" }, list, panels);
  const filled = new Map();
  let shown = [];
  let chosen = "";

  const choose = (id, byReader) => {
    chosen = id;
    if (byReader) chosenLast.set(label, id);
    for (const [index, page] of shown.entries()) {
      const here = page.id === id;
      const tab = list.children[index];
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      if (here) tab.setAttribute("aria-controls", `${prefix}-${id}`);
      else tab.removeAttribute("aria-controls");
      if (here && byReader) tab.focus();
      if (here && !filled.has(id)) filled.set(id, fill(panel(page), page.make()));
    }
    panels.replaceChildren(filled.get(id));
  };
  const panel = (page) =>
    h("div", { role: "tabpanel", id: `${prefix}-${page.id}`, "aria-labelledby": `${prefix}-${page.id}-tab`, tabindex: "0" });
  list.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const at = shown.findIndex((page) => page.id === chosen) + move;
    const next = Number.isFinite(move) ? (at + shown.length) % shown.length : move < 0 ? 0 : shown.length - 1;
    choose(shown[next].id, true);
  });

  element.update = (others) => {
    const focused = list.contains(document.activeElement);
    shown = others.filter(Boolean);
    for (const id of [...filled.keys()]) {
      if (!shown.find((page) => page.id === id)?.keep) filled.delete(id);
    }
    fill(list, shown.map((page) => tab(page)));
    const wanted = [chosen, chosenLast.get(label), first, shown[0].id].find((id) => id && shown.some((page) => page.id === id));
    choose(wanted, false);
    if (focused) list.querySelector("[aria-selected=true]").focus();
  };
  const tab = (page) =>
    h("button", {
      role: "tab", type: "button", id: `${prefix}-${page.id}-tab`,
      onclick: () => choose(page.id, true),
    }, page.name, page.note ? h("span", { class: `note ${page.tone ?? ""}` }, page.note) : null);
  /** Shows one of the pages. */
  element.choose = (id) => choose(id, true);
  element.update(pages);
  return element;
}
