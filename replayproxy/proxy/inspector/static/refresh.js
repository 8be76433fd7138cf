// Keeps a view up to date: asks again while it can be seen, and touches no more of it than what changed.

/**
 * Runs `work` now, and again and again while the page is visible until `signal` aborts; gives a function that runs it at
 * once. A run that took long is followed by a longer pause. `failed` is told what went wrong, null when it is over.
 */
export function every(seconds, work, signal, failed = () => {}) {
  let timer = 0;
  let running = null;
  let again = false;
  const run = () => {
    clearTimeout(timer);
    again = Boolean(running);
    running ??= turn();
    return running;
  };
  async function turn() {
    const begun = performance.now();
    try {
      do {
        again = false;
        await work();
      } while (again && !signal.aborted);
      failed(null);
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
    running = null;
    if (!signal.aborted) timer = setTimeout(tick, Math.max(seconds * 1000, (performance.now() - begun) * 5));
  }
  const tick = () => {
    if (document.visibilityState === "visible") run();
  };
  document.addEventListener("visibilitychange", tick, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  run();
  return run;
}

/** A function that renders a value into `element` when it is another one than last time. */
export function changing(element, render) {
  let last;
  return (value) => {
    const text = JSON.stringify(value) ?? "";
    if (text === last) return;
    last = text;
    const place = focusIn(element);
    const made = render(value);
    element.replaceChildren(...[made].flat().filter((each) => each !== null && each !== undefined && each !== false));
    focusAt(element, place);
  };
}

/**
 * A function that shows a list as children of `parent`, one for each item: what did not change stays the node that it
 * was, so that focus, selection and scrolling stay too. `keyOf` says which item is which.
 */
export function keyed(parent, keyOf, render) {
  let known = new Map();
  return (items) => {
    const next = new Map();
    for (const item of items) {
      const text = JSON.stringify(item);
      const old = known.get(keyOf(item));
      next.set(keyOf(item), old?.text === text ? old : { text, node: render(item), old: old?.node });
    }
    let at = parent.firstChild;
    for (const entry of next.values()) {
      const place = entry.old ? focusIn(entry.old) : -1;
      if (entry.old?.parentNode === parent) {
        if (at === entry.old) at = entry.node;
        entry.old.replaceWith(entry.node);
        focusAt(entry.node, place);
      }
      entry.old = null;
      if (at === entry.node) at = at.nextSibling;
      else parent.insertBefore(entry.node, at);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    known = next;
  };
}

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

function focusIn(element) {
  if (!element.contains(document.activeElement)) return -1;
  return [...element.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
}

function focusAt(element, place) {
  if (place >= 0) element.querySelectorAll(FOCUSABLE)[place]?.focus({ preventScroll: true });
}

/**
 * The keys of a table whose rows have a link each: j, k and the arrows walk, Enter follows the link. `links` gives those
 * that are shown. True when the key was one of these.
 */
export function walk(event, links) {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!step) return false;
  const found = links();
  const here = found.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const link = found[Math.max(0, Math.min(found.length - 1, here < 0 ? 0 : here + step))];
  link?.focus();
  link?.closest("tr").scrollIntoView({ block: "nearest" });
  event.preventDefault();
  return true;
}
