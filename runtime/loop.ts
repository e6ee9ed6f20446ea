/** The event loop: timers, descriptors, signals, work of other threads, as in Node.js (libuv) one after the other. */
import { natives } from "./native.ts";

interface Natives {
  readonly waitForEvents: (pairs: Int32Array, count: number, milliseconds: number) => number;
  readonly openSignals: () => number;
  readonly catchSignal: (signal: number, catches: boolean) => void;
  readonly caughtSignals: () => readonly number[];
  readonly descriptorOfWorkers: () => number;
  readonly finishedWork: () => readonly unknown[];
  readonly runPromises: () => void;
  readonly now: () => number;
}

const native = natives<Natives>();

export const [POLLIN, POLLOUT, POLLERR, POLLHUP] = [1, 4, 8, 16];

type Callback = () => void;
/** A function with its arguments. That costs less than a function that calls it. */
interface Call {
  readonly run: (...values: readonly unknown[]) => void;
  readonly values: readonly unknown[];
}

/** Callbacks of process.nextTick, which precede promises, and how many of them were run. */
const ticks: (Callback | Call)[] = [];
let ticked = 0;
/** Then they are removed: callbacks may add others without end. */
const MOST_TICKED = 1024;
let immediates: Immediate[] = [];

/** Gets errors that no code catches. */
let fail: (error: unknown) => void = (error) => {
  throw error;
};

export function onUncaught(handler: (error: unknown) => void): void {
  fail = handler;
}

/** Reports promises that no code handles. Returns true if there were any. */
let reportRejections = (): boolean => false;

export function onSettled(handler: () => boolean): void {
  reportRejections = handler;
}

export function nextTick(tick: Callback | Call): void {
  ticks.push(tick);
}

/** Runs a callback, then what it has put off to the end of this turn. */
export function runCallback(callback: Callback): void {
  try {
    callback();
  } catch (error) {
    fail(error);
  }
  settle();
}

function settle(): void {
  do {
    for (let tick = ticks[ticked]; tick !== undefined; tick = ticks[ticked]) {
      // A callback may settle, too.
      ticked += 1;
      if (ticked === MOST_TICKED) {
        ticks.splice(0, ticked);
        ticked = 0;
      }
      try {
        if (typeof tick === "function") tick();
        else tick.run(...tick.values);
      } catch (error) {
        fail(error);
      }
    }
    ticks.length = 0;
    ticked = 0;
    native.runPromises();
    // A handler that was added in the same turn is in time.
  } while (ticks.length > 0 || reportRejections());
}

/** A handle that keeps the loop alive while it is referenced. */
abstract class Handle {
  #isReferenced = true;

  ref(): this {
    this.#isReferenced = true;
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    return this;
  }

  hasRef(): boolean {
    return this.#isReferenced;
  }
}

export class Immediate extends Handle {
  readonly callback: Callback;

  constructor(callback: Callback) {
    super();
    this.callback = callback;
  }
}

export function addImmediate(callback: Callback): Immediate {
  const immediate = new Immediate(callback);
  immediates.push(immediate);
  return immediate;
}

let lastTimer = 0;

export class Timer extends Handle {
  readonly #number = (lastTimer += 1);
  readonly #callback: Callback;
  #ms = 0;
  readonly #repeats: boolean;
  /** When it is due, by `native.now()`. */
  time = 0;

  constructor(callback: Callback, ms: number, repeats: boolean) {
    super();
    this.#callback = callback;
    this.#repeats = repeats;
    this.restart(ms);
  }

  /** Begins again, with a different time. */
  restart(ms: number): this {
    // As in Node.js, also for NaN.
    this.#ms = ms >= 1 && ms <= 0x7fff_ffff ? Math.trunc(ms) : 1;
    return this.refresh();
  }

  refresh(): this {
    this.time = native.now() + this.#ms;
    timers.add(this);
    return this;
  }

  close(): void {
    timers.delete(this);
  }

  run(): void {
    timers.delete(this);
    if (this.#repeats) this.refresh();
    runCallback(this.#callback);
  }

  /** Timers are numbers where one is asked for. */
  [Symbol.toPrimitive](): number {
    return this.#number;
  }
}

/** A process has a few dozen at most. */
const timers = new Set<Timer>();

/** A descriptor and the events that it is watched for. */
export class Watch extends Handle {
  readonly descriptor: number;
  events: number;
  readonly callback: (events: number) => void;

  constructor(descriptor: number, events: number, callback: (events: number) => void) {
    super();
    this.descriptor = descriptor;
    this.events = events;
    this.callback = callback;
    watches.add(this);
    isListed = false;
  }

  change(events: number): void {
    if (events === this.events) return;
    this.events = events;
    isListed = false;
  }

  close(): void {
    watches.delete(this);
    isListed = false;
  }
}

const watches = new Set<Watch>();
/** `watched` and `pairs` have the watches as they are. */
let isListed = false;
let watched: readonly Watch[] = [];

/** Calls back for events of a descriptor (poll(2)) until it is closed. Errors and ends are always events. */
export function watch(descriptor: number, events: number, callback: (events: number) => void): Watch {
  return new Watch(descriptor, events, callback);
}

type Listener = (signal: number) => void;

const listeners = new Map<number, Listener>();
/** Signals that were caught, with the listener at that time. */
let caught: (readonly [signal: number, listener: Listener])[] = [];
let signals: Watch | undefined;

/** Catches a signal. Listeners do not keep the loop alive. @throws the system's error */
export function catchSignal(signal: number, listener: Listener): void {
  if (listeners.size === 0) {
    signals ??= watch(native.openSignals(), POLLIN, () => {
      collectSignals();
      deliverSignals();
    }).unref();
  }
  native.catchSignal(signal, true);
  listeners.set(signal, listener);
}

/** Gives a signal its default action. Later listeners do not get one that was caught before, as in Node.js. */
export function releaseSignal(signal: number): void {
  if (!listeners.has(signal)) return;
  native.catchSignal(signal, false);
  collectSignals();
  listeners.delete(signal);
  if (caught.length > 0) addImmediate(deliverSignals);
}

function collectSignals(): void {
  for (const signal of native.caughtSignals()) {
    const listener = listeners.get(signal);
    if (listener !== undefined) caught.push([signal, listener]);
  }
}

function deliverSignals(): void {
  const delivered = caught;
  caught = [];
  for (const [signal, listener] of delivered) {
    if (listeners.get(signal) === listener) runCallback(() => listener(signal));
  }
}

/** Runs until nothing keeps the loop alive. */
export function runLoop(): void {
  settle();
  for (;;) {
    runTimers();
    waitForEvents(timeLeft());
    const due = immediates;
    immediates = [];
    for (const immediate of due) runCallback(immediate.callback);
    if (!isAlive()) return;
  }
}

function isAlive(): boolean {
  if (immediates.some((one) => one.hasRef()) || native.descriptorOfWorkers() !== -1) return true;
  for (const timer of timers) if (timer.hasRef()) return true;
  for (const one of watches) if (one.hasRef()) return true;
  return false;
}

function runTimers(): void {
  const now = native.now();
  // A turn of the loop takes less time without a function call for each timer and descriptor.
  const due: Timer[] = [];
  for (const timer of timers) if (timer.time <= now) due.push(timer);
  for (const timer of due.toSorted((one, other) => one.time - other.time)) {
    // An earlier callback may have cleared or refreshed it.
    if (timers.has(timer) && timer.time <= now) timer.run();
  }
}

/** @returns the milliseconds for which descriptors may be waited for; -1 without a limit */
function timeLeft(): number {
  if (immediates.length > 0 || !isAlive()) return 0;
  let first = Infinity;
  for (const { time } of timers) first = Math.min(first, time);
  return first === Infinity ? -1 : Math.max(0, Math.ceil(first - native.now()));
}

let pairs = new Int32Array(128);

/** Writes the descriptors and events of the watches for poll(2), which writes what it found beside the events. */
function listWatches(): void {
  watched = Array.from(watches);
  if (pairs.length < 2 * watched.length + 2) pairs = new Int32Array(4 * watched.length);
  let at = 0;
  for (const { descriptor, events } of watched) {
    pairs[at++] = descriptor;
    pairs[at++] = events;
  }
  isListed = true;
}

function waitForEvents(milliseconds: number): void {
  if (!isListed) listWatches();
  // A callback may change the list, by a new watch or by waiting again.
  const list = watched;
  const at = 2 * list.length + 1;
  // poll(2) ignores a negative descriptor.
  pairs[at - 1] = native.descriptorOfWorkers();
  pairs[at] = POLLIN;
  if (native.waitForEvents(pairs, list.length + 1, milliseconds) <= 0) return;
  // A callback may change the array, by waiting again.
  const ready: { readonly one: Watch; readonly found: number }[] = [];
  for (let index = 0; index < list.length; index++) {
    const found = (pairs[2 * index + 1] ?? 0) >> 16;
    const one = list[index];
    if (found !== 0 && one !== undefined) ready.push({ one, found });
  }
  if ((pairs[at] ?? 0) >> 16 !== 0) finishWork();
  // Signals come last, as in libuv: the output of a child precedes its end.
  let ofSignals: number | undefined;
  for (const { one, found } of ready) {
    if (one === signals) ofSignals = found;
    else if (watches.has(one)) runCallback(() => one.callback(found));
  }
  if (ofSignals !== undefined) runCallback(() => signals?.callback(ofSignals));
}

function finishWork(): void {
  const list = native.finishedWork();
  for (let index = 0; index + 1 < list.length; index += 2) {
    const callback = list[index];
    if (typeof callback === "function") runCallback(() => void Reflect.apply(callback, undefined, [list[index + 1]]));
  }
}
