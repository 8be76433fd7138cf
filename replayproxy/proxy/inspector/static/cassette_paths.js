// Where a cassette is in the folder of cassettes: the views and references name it from there.

import { get } from "./api.js";

let folder = null;

/** The path in the folder of a cassette that is named from where the proxy runs; null when it is elsewhere. */
export async function pathInFolder(cassette, { signal } = {}) {
  folder ??= (await get("/cassettes", { signal })).folder;
  if (folder === "." || folder === "") return cassette;
  return cassette.startsWith(`${folder}/`) ? cassette.slice(folder.length + 1) : null;
}

/** The address of a reference's view (`#/exchanges/12`) and of its JSON (`/exchanges/12`, the same without `#`). */
export function addressOf(reference) {
  if (reference.startsWith("exchange:")) return `/exchanges/${encodeURIComponent(reference.slice("exchange:".length))}`;
  const at = reference.lastIndexOf("#");
  return `/cassettes/${encodeURIComponent(reference.slice(0, at))}/interactions/${encodeURIComponent(reference.slice(at + 1))}`;
}

/** The address of the view that compares two references. */
export function diffAddress(left, right) {
  return `#/diff?left=${encodeURIComponent(left)}&right=${encodeURIComponent(right)}`;
}
