// Asks before something is done that cannot be undone.

import { h } from "./dom.js";
import { openDialog } from "./help.js";

/** True when the person says yes: `sure({title, text, action: "Close the session"})`. Escape and Cancel are no. */
export function sure({ title, text, action, danger = true }) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "sure-title", "aria-describedby": "sure-text", class: "sure" },
      h("form", { method: "dialog" },
        h("h2", { id: "sure-title" }, title),
        h("p", { id: "sure-text" }, text),
        h("p", { class: "buttons" },
          h("button", { value: "yes", class: danger ? "danger" : "primary" }, action),
          h("button", { value: "", autofocus: true }, "Cancel"),
        ),
      ),
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
    openDialog(dialog);
  });
}
