// What two sequences have in common, and how two texts differ word by word.

const WORD = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
// The table of common beginnings has no more cells than these; what is larger counts as different as a whole.
const MOST_CELLS = 1_000_000;
// Texts up to so many characters are always told word by word.
const LITTLE = 200;

/** Two sequences as runs in their order: [{same, left: [...], right: [...]}]. */
export function runs(left, right) {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const found = [];
  const add = (same, old, fresh) => {
    const last = found.at(-1);
    if (!old.length && !fresh.length) return;
    if (last?.same === same) {
      last.left.push(...old);
      last.right.push(...fresh);
    } else found.push({ same, left: [...old], right: [...fresh] });
  };
  add(true, left.slice(0, start), right.slice(0, start));
  middle(left.slice(start, left.length - end), right.slice(start, right.length - end), add);
  add(true, left.slice(left.length - end), right.slice(right.length - end));
  return found;
}

function middle(left, right, add) {
  if (!left.length || !right.length || left.length * right.length > MOST_CELLS) return add(false, left, right);
  const width = right.length + 1;
  const table = new Uint16Array((left.length + 1) * width); // how much is common from there on
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      table[i * width + j] = left[i] === right[j] ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) add(true, [left[i++]], [right[j++]]);
    else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) add(false, [left[i++]], []);
    else add(false, [], [right[j++]]);
  }
  return add(false, left.slice(i), right.slice(j));
}

/**
 * Two texts as pieces in their order: [{same, left, right}], both being text. Two that have little in common are one
 * piece each: a word here and a bracket there tell nothing.
 */
export function wordRuns(left, right) {
  const found = runs(left.match(WORD) ?? [], right.match(WORD) ?? []);
  const pieces = found.map(({ same, left: old, right: fresh }) => ({ same, left: old.join(""), right: fresh.join("") }));
  const common = pieces.filter((each) => each.same && /[\p{L}\p{N}]/u.test(each.left)).reduce((sum, each) => sum + each.left.length, 0);
  const longer = Math.max(left.length, right.length);
  return longer > LITTLE && common < longer / 3 ? [{ same: false, left, right }] : pieces;
}
