// The dialog that asks for the admin token.

import { setToken } from "./api.js";
import { h } from "./dom.js";

let asking = null;

/** Asks for the admin token; true when one was given. Whoever asks meanwhile gets the same answer. */
export function unlock() {
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

function ask() {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true });
    const dialog = h("dialog", { "aria-labelledby": "unlock-title", class: "unlock" },
      h("form", { method: "dialog" },
        h("h2", { id: "unlock-title" }, "Who are you?"),
        h("p", {}, "This needs the admin token. The terminal in which replayproxy runs shows a link that has it, the ready file holds " +
          "it as admin_token, and REPLAYPROXY_ADMIN_TOKEN sets it."),
        h("label", {}, "Admin token ", input),
        h("p", { class: "buttons" },
          h("button", { value: "given", class: "primary" }, "Unlock"),
          h("button", { value: "", formnovalidate: true }, "Cancel"),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "given" && input.value.trim();
      if (given) setToken(given);
      dialog.remove();
      resolve(Boolean(given));
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
