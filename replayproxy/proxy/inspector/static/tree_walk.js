// The order of a tree's rows, and how many stand together.

const GROUP = 100;

/** Items as they are shown: more than a hundred in groups (nodes of the kind `range`), and groups of groups. */
export function grouped(of, all) {
  if (all.length <= GROUP) return all;
  let width = GROUP;
  while (all.length / width > GROUP) width *= GROUP;
  const ranges = [];
  for (let at = 0; at < all.length; at += width) {
    const held = all.slice(at, at + width);
    ranges.push({ kind: "range", of, parent: of, items: held, first: held[0].index, last: held.at(-1).index, count: held.length });
  }
  return ranges;
}

const inside = (item) => (item.getAttribute("aria-expanded") === "true" ? item.querySelector(":scope > ul").firstElementChild : null);

/** The row that stands below, as the tree is open; null at the end. */
export function after(item) {
  const within = inside(item);
  if (within) return within;
  for (let each = item; each; each = each.parentElement.closest("[role=treeitem]")) {
    if (each.nextElementSibling) return each.nextElementSibling;
  }
  return null;
}

/** The row that stands above; null at the beginning. */
export function before(item) {
  return item.previousElementSibling ? deepest(item.previousElementSibling) : item.parentElement.closest("[role=treeitem]");
}

/** The last row inside a row, itself when it is closed. */
export function deepest(item) {
  let last = item;
  while (inside(last)) last = inside(last).parentElement.lastElementChild;
  return last;
}
