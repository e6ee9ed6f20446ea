/** A clock for tests of deadlines and retries of ESC, which takes no real time. */
import type { Clock } from "../../src/esc/transport/deadline.ts";

interface Timer {
  readonly due: number;
  readonly act: () => void;
}

/**
 * A clock that a test sets. A pause takes no time: the clock is put forward to its end. A limit is reached by
 * {@link advance} alone, or by a pause that goes beyond it, however busy the machine is.
 */
export class VirtualClock implements Clock {
  readonly stepMs = 5000;
  readonly #random: number;
  readonly #timers = new Set<Timer>();
  /** The lengths of the limits that were set, and of those that were called off. */
  readonly #set: number[] = [];
  readonly #calledOff: number[] = [];
  #watchers: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];
  #now = 0;

  /** @param random the chance of every draw, from 0 (inclusive) to 1 (exclusive) */
  constructor(random = 0) {
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#random;
  }

  limit(ms: number, act: () => void): () => void {
    const callOff = this.#add(ms, act);
    this.#note(this.#set, ms);
    return () => {
      if (callOff()) this.#note(this.#calledOff, ms);
    };
  }

  pause(ms: number, act: () => void): () => void {
    const due = this.#now + ms;
    const callOff = this.#add(ms, act);
    setImmediate(() => this.#advanceTo(due));
    return () => void callOff();
  }

  /** Resolves once so many limits of exactly that length have been set. */
  limited(ms: number, times = 1): Promise<void> {
    return this.#has(this.#set, ms, times);
  }

  /** Resolves once so many limits of exactly that length have been called off before they were reached. */
  calledOff(ms: number, times = 1): Promise<void> {
    return this.#has(this.#calledOff, ms, times);
  }

  /** Lets time pass: acts on what is due by then, in its order. */
  advance(ms: number): void {
    this.#advanceTo(this.#now + ms);
  }

  /** Returns what calls it off, which returns false if it was called off or has acted before. */
  #add(ms: number, act: () => void): () => boolean {
    const timer: Timer = { due: this.#now + ms, act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #note(lengths: number[], ms: number): void {
    lengths.push(ms);
    const met = this.#watchers.filter(({ isMet }) => isMet());
    this.#watchers = this.#watchers.filter((watcher) => !met.includes(watcher));
    for (const { resolve } of met) resolve();
  }

  #has(lengths: readonly number[], ms: number, times: number): Promise<void> {
    const isMet = (): boolean => lengths.filter((length) => length === ms).length >= times;
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ isMet, resolve }));
  }

  #advanceTo(end: number): void {
    for (;;) {
      const next = [...this.#timers].toSorted((a, b) => a.due - b.due).find(({ due }) => due <= end);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.act();
    }
    this.#now = Math.max(this.#now, end);
  }
}
