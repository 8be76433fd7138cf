// A tool call as it is read: the name, the arguments on lines of their own, and what the tool gave.

import { h } from "./dom.js";
import { wrong } from "./json.js";
import { marked } from "./texts.js";

/** A tool call: name, arguments, and what it gave. */
export function callView(call) {
  return h("details", { class: "call", open: true },
    h("summary", {}, "calls ", h("strong", { class: "mono" }, marked(call.name || "a tool")), " ",
      h("code", { class: "quiet" }, marked(call.id))),
    call.arguments && [h("div", { class: "label" }, "Arguments"), h("pre", {}, marked(pretty(call.arguments)))],
    call.output === null
      ? h("p", { class: "quiet" }, "no output seen")
      : [h("div", { class: "label" }, "Output"), h("pre", { class: "output" }, marked(pretty(call.output)))]);
}

/** JSON text on lines of its own, indented; its numbers keep their digits. Any other text as it is. */
export function pretty(text) {
  if (!/^\s*[[{]/.test(text) || wrong(text)) return text;
  let depth = 0;
  const indent = () => `\n${"  ".repeat(depth)}`;
  return text.replace(/"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{[]\s*[}\]]|[{}[\],:]|\s+/g, (token) => {
    if (/^\s/.test(token)) return "";
    if (token === ":") return ": ";
    if (token === ",") return `,${indent()}`;
    if (token === "{" || token === "[") return (depth++, token + indent());
    if (token === "}" || token === "]") return (depth--, indent() + token);
    return /^[{[]/.test(token) ? token[0] + token.at(-1) : token;
  });
}
