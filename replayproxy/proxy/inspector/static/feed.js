// The stream that feeds the list: connects, connects again when it breaks, and changes over to another filter.

import { Refused, listen } from "./api.js";

const LIMIT = 10_000;
const WAITS = [0.5, 1, 2, 5];

/**
 * `on` has what is called for each event of the feed (`page`, `caught_up`, `exchanges`, `gone`) and `opened(changed)` before
 * the first one of a connection, `refused(error)` when a filter makes no sense, `broken(seconds)` when the stream broke
 * and is tried again after so many seconds. What a refused filter would have replaced goes on.
 */
export class Feed {
  #on;
  #line = null; // the connection that is listened to
  #next = null; // the one that shall take its place

  constructor(on) {
    this.#on = on;
  }

  /** Asks for the exchanges that fit a filter. */
  ask(filter) {
    this.#next?.stop.abort();
    this.#next = { filter, stop: new AbortController(), wake: () => {} };
    this.#keepUp(this.#next);
  }

  /** Tries again now, if it waits to. */
  retry() {
    (this.#next ?? this.#line)?.wake();
  }

  close() {
    this.#next?.stop.abort();
    this.#line?.stop.abort();
    [this.#line, this.#next] = [null, null];
  }

  async #keepUp(line) {
    for (let tries = 0; !line.stop.signal.aborted; tries++) {
      const began = performance.now();
      try {
        await this.#hear(line);
      } catch (error) {
        if (line.stop.signal.aborted) return;
        if (error instanceof Refused && error.status === 400) return this.#refuse(line, error);
      }
      if (line.stop.signal.aborted) return;
      if (performance.now() - began > 10_000) tries = 0;
      const seconds = WAITS[Math.min(tries, WAITS.length - 1)];
      this.#on.broken(seconds);
      await this.#wait(line, seconds);
    }
  }

  #hear(line) {
    let opened = false;
    const heard = (name) => (data) => {
      if (line.stop.signal.aborted) return;
      if (!opened) this.#open(line);
      opened = true;
      this.#on[name](data);
    };
    const handlers = Object.fromEntries(["page", "caught_up", "exchanges", "gone"].map((name) => [name, heard(name)]));
    return listen(`/feed?filter=${encodeURIComponent(line.filter)}&limit=${LIMIT}`, handlers, line.stop.signal);
  }

  #open(line) {
    const changed = this.#line !== line;
    if (changed) {
      const filter = this.#line?.filter;
      this.#line?.stop.abort();
      [this.#line, this.#next] = [line, null];
      this.#on.opened(filter !== undefined && filter !== line.filter);
    } else this.#on.opened(false);
  }

  #refuse(line, error) {
    if (this.#next === line) this.#next = null;
    this.#on.refused(error);
  }

  #wait(line, seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      line.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      line.stop.signal.addEventListener("abort", line.wake, { once: true });
    });
  }
}
