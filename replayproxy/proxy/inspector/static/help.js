// The dialog that tells the keys: those of the present view, then those that are everywhere.

import { h } from "./dom.js";

/** Opens it. `own` are pairs of key and meaning, `menu` rows of [address, name, key]. */
export function help(own, menu) {
  const everywhere = [
    ["?", "this help"],
    ...menu.map(([, name, key]) => [`g ${key}`, `go to ${name.toLowerCase()}`]),
    ["Esc", "back, or close"],
  ];
  const dialog = h("dialog", { "aria-labelledby": "help-title", class: "help" },
    h("h2", { id: "help-title" }, "Keys"),
    own.length ? table("In this view", own) : null,
    table("Everywhere", everywhere),
    h("form", { method: "dialog", class: "buttons" }, h("button", { class: "primary" }, "Close")));
  openDialog(dialog);
}

/** Shows a dialog that is made anew each time; where the focus was, it is again when the dialog closes. */
export function openDialog(dialog) {
  const focused = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  });
  // A click on the backdrop is one on the dialog itself, outside its box.
  dialog.addEventListener("click", (event) => {
    const box = dialog.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (event.target === dialog && !inside) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}

function table(name, rows) {
  return h("table", { class: "keys" }, h("caption", {}, name), h("tbody", {}, rows.map(([key, what]) =>
    h("tr", {}, h("th", { scope: "row" }, strokes(key)), h("td", {}, what)))));
}

// `j / k` and `g c` are several keys; what stands between them is shown as it is.
function strokes(text) {
  return text.split(/( \/ |, | )/).map((part) => (/^( \/ |, | |then|or)$/.test(part) ? part : h("kbd", {}, part)));
}
