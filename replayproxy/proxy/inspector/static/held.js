// The exchanges that the list holds, by number; plain data, nothing of the page.

/**
 * Rows stand by number, the newest first for who asks `at(0)`. While it is paused, new ones wait. What is cleared is
 * kept, but not counted, and comes back with `showAll`.
 */
export class Held {
  rows = []; // the oldest first
  waiting = new Map();
  paused = false;
  cleared = 0; // numbers up to it are out of sight
  gone = 0; // numbers up to it are no longer in the journal
  #through = 0; // the newest number when it was paused
  #seen = null; // what a search that is going on has found

  /** How many are in sight. */
  get count() {
    return this.rows.length - this.#place(this.cleared + 1);
  }

  get newest() {
    return this.rows.at(-1)?.number ?? 0;
  }

  at(index) {
    return this.rows[this.rows.length - 1 - index];
  }

  /** Where the exchange with that number is in sight: from 0, the newest first; -1 when it is not. */
  indexOf(number) {
    const place = this.#place(number);
    return number > this.cleared && this.rows[place]?.number === number ? this.rows.length - 1 - place : -1;
  }

  /** A search begins: whatever it does not find goes when it has ended, or at once when `anew`. */
  begin(anew) {
    this.#seen = new Set();
    if (anew) [this.rows, this.waiting, this.#through] = [[], new Map(), Infinity];
  }

  /** Takes in what came: new exchanges, and others in the place of those with the same numbers. */
  take(exchanges) {
    const now = [];
    for (const each of exchanges) {
      this.#seen?.add(each.number);
      if (this.paused && each.number > this.#through) this.waiting.set(each.number, each);
      else now.push(each);
    }
    this.#merge(now.sort((one, other) => one.number - other.number));
  }

  /** The search has ended. */
  end() {
    const seen = this.#seen;
    if (seen) this.rows = this.rows.filter((each) => seen.has(each.number));
    this.#seen = null;
    if (this.#through === Infinity) this.#through = this.newest; // another search while it was paused
    if (this.newest < this.cleared) this.cleared = 0; // another proxy counts from 1 again
  }

  /** The journal holds the numbers up to this one no longer. */
  drop(through) {
    this.gone = Math.max(this.gone, through);
    this.rows.splice(0, this.#place(through + 1));
    for (const number of this.waiting.keys()) if (number <= through) this.waiting.delete(number);
  }

  /** Those have changed so that they fit the filter no more. */
  forget(numbers) {
    for (const number of numbers) {
      const place = this.#place(number);
      if (this.rows[place]?.number === number) this.rows.splice(place, 1);
      this.waiting.delete(number);
    }
  }

  pause() {
    [this.paused, this.#through] = [true, this.newest];
  }

  resume() {
    this.paused = false;
    const waiting = [...this.waiting.values()];
    this.waiting = new Map();
    this.#merge(waiting.sort((one, other) => one.number - other.number));
  }

  clear() {
    this.cleared = Math.max(this.newest, ...this.waiting.keys());
  }

  showAll() {
    this.cleared = 0;
  }

  /** The different values that a field has, the frequent ones first. */
  values(name) {
    const counts = new Map();
    for (const each of this.rows) if (each[name]) counts.set(each[name], (counts.get(each[name]) ?? 0) + 1);
    return [...counts].sort((one, other) => other[1] - one[1]).map(([value]) => String(value));
  }

  #merge(sorted) {
    if (!sorted.length) return;
    if (sorted[0].number > this.newest) this.rows.push(...sorted);
    else if (sorted.at(-1).number < this.rows[0].number) this.rows = [...sorted, ...this.rows];
    else for (const each of sorted) this.#put(each);
  }

  #put(each) {
    const place = this.#place(each.number);
    this.rows.splice(place, this.rows[place]?.number === each.number ? 1 : 0, each);
  }

  // The place of the first row with that number or a larger one.
  #place(number) {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
