// One interaction of a cassette: as an exchange is shown, and its document in the file.

import { get, Refused } from "./api.js";
import { detailView } from "./detail.js";
import { copy, fill, h } from "./dom.js";
import { keys, typing } from "./main.js";
import { release } from "./media.js";
import { longText } from "./texts.js";

const KEYS = [
  ["j / k", "next, previous interaction"],
  ["d", "compare with another one"],
  ["c", "copy the path of the chosen field (in the tree: v its value)"],
];

export async function show(view, { params, current }) {
  const number = Number(params.number);
  const { path } = params;
  const stop = new AbortController();
  const folder = `/cassettes/${encodeURIComponent(path)}`;
  keys(KEYS);
  const link = (to, name, key) => h("a", { class: "button", href: `#${folder}/interactions/${to}`, "aria-keyshortcuts": key }, name);
  const around = [
    number > 1 ? link(number - 1, "‹ Previous", "k") : null,
    link(number + 1, "Next ›", "j"),
    h("a", { class: "button", href: `#${folder}` }, "All of ", h("bdi", {}, path)),
  ];
  const shown = detailView({ kind: "interaction", path, number }, { around, pages: (held) => [yamlPage(held)] });
  try {
    await shown.update(await get(`${folder}/interactions/${number}`, { signal: stop.signal }));
    if (current()) fill(view, shown.node);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    fill(view, h("p", { class: "error", role: "alert" }, error.message), h("p", { class: "pad buttons" }, around));
  }
  const pressed = (event) => {
    if (typing(event) || document.querySelector("dialog[open]")) return;
    const act = {
      j: () => (location.hash = `#${folder}/interactions/${number + 1}`),
      k: () => number > 1 && (location.hash = `#${folder}/interactions/${number - 1}`),
      d: () => shown.compare(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", pressed);
  return () => {
    stop.abort();
    document.removeEventListener("keydown", pressed);
    release();
  };
}

function yamlPage(detail) {
  const make = () => h("div", {},
    h("p", { class: "body-tools" }, h("span", { class: "quiet" }, detail.line ? `line ${detail.line} of the file` : ""),
      h("button", { type: "button", class: "small", onclick: () => copy(detail.yaml, "YAML copied") }, "Copy")),
    longText(detail.yaml ?? "", "The document in the file"));
  return { id: "yaml", name: "YAML", make };
}
