/**
 * The event loop. Each turn has the order of libuv: timers, then waiting by poll(2), callbacks for results of other threads, for
 * descriptors and for signals, and at last immediates. Behind each callback run the ticks of process.nextTick and the promises
 * that it has led to.
 *
 * The loop runs until nothing keeps it alive. A `Timer`, `Immediate` or `Watch` keeps it alive until it is closed, or has
 * run, unless `unref` was called.
 */
import { natives } from "./native.ts";

interface Natives {
  /**
   * Calls poll(2).
   *
   * @param pairs a descriptor and its events in turn; the events that occurred are added in the upper 16 bits
   * @param count the number of pairs @param milliseconds -1 for no limit @returns the number of descriptors with events
   */
  readonly waitForEvents: (pairs: Int32Array, count: number, milliseconds: number) => number;
  /** Opens a descriptor that becomes readable when a signal was caught. */
  readonly openSignals: () => number;
  /** @param catches false gives the signal its default action */
  readonly catchSignal: (signal: number, catches: boolean) => void;
  /** Returns the signals that were caught since the last call. */
  readonly caughtSignals: () => readonly number[];
  /** Returns a descriptor that becomes readable when another thread has a result; -1 if none is working. */
  readonly descriptorOfWorkers: () => number;
  /** Returns a flat list of callbacks and their arguments. */
  readonly finishedWork: () => readonly unknown[];
  readonly runPromises: () => void;
  /** Returns the milliseconds of a clock that only advances. */
  readonly now: () => number;
}

const native = natives<Natives>();

export const [POLLIN, POLLOUT, POLLERR, POLLHUP] = [1, 4, 8, 16];

type Callback = () => void;
/** A function with its arguments, which costs less than a closure that calls it. */
interface Call {
  readonly run: (...values: readonly unknown[]) => void;
  readonly values: readonly unknown[];
}

/** Callbacks of process.nextTick, which run before promises. */
const ticks: (Callback | Call)[] = [];
/** The number of callbacks at the beginning of `ticks` that have run. */
let ticksRun = 0;
/** After so many callbacks those that have run are removed, because each callback may add another one, without end. */
const MAX_TICKS_RUN = 1024;
let immediates: Immediate[] = [];

/** Gets the errors that no code catches. */
let reportUncaught: (error: unknown) => void = (error) => {
  throw error;
};

/** Sets the function that gets the errors of callbacks. */
export function onUncaught(handler: (error: unknown) => void): void {
  reportUncaught = handler;
}

/** Reports rejected promises that no code handles. Returns true if there were any. */
let reportRejections = (): boolean => false;

/** Sets the function that reports rejected promises, and returns true if there were any. */
export function onSettled(handler: () => boolean): void {
  reportRejections = handler;
}

export function nextTick(tick: Callback | Call): void {
  ticks.push(tick);
}

/** Runs a callback, then the ticks and promises that it has led to. */
export function runCallback(callback: Callback): void {
  try {
    callback();
  } catch (error) {
    reportUncaught(error);
  }
  settle();
}

function settle(): void {
  do {
    for (let tick = ticks[ticksRun]; tick !== undefined; tick = ticks[ticksRun]) {
      // This comes before the call, because the callback may call this function, too.
      ticksRun += 1;
      if (ticksRun === MAX_TICKS_RUN) {
        ticks.splice(0, ticksRun);
        ticksRun = 0;
      }
      try {
        if (typeof tick === "function") tick();
        else tick.run(...tick.values);
      } catch (error) {
        reportUncaught(error);
      }
    }
    ticks.length = 0;
    ticksRun = 0;
    native.runPromises();
    // Only now are rejections reported: a handler that was added by a tick or a promise is in time.
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

let timerCount = 0;

export class Timer extends Handle {
  readonly #number = (timerCount += 1);
  readonly #callback: Callback;
  #ms = 0;
  readonly #repeats: boolean;
  /** The time when it is due, by `native.now()`. */
  time = 0;

  constructor(callback: Callback, ms: number, repeats: boolean) {
    super();
    this.#callback = callback;
    this.#repeats = repeats;
    this.restart(ms);
  }

  /** Begins again, with a different time. */
  restart(ms: number): this {
    // As in Node.js, a time out of range, or NaN, is 1.
    this.#ms = ms >= 1 && ms <= 0x7fff_ffff ? Math.trunc(ms) : 1;
    return this.refresh();
  }

  /** Begins again, with the same time. */
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

  /** Lets a timer be used as a number, as in Node.js. */
  [Symbol.toPrimitive](): number {
    return this.#number;
  }
}

/** The timers that run. A process has a few dozen at most, so they need no order. */
const timers = new Set<Timer>();

/** A descriptor with the events of poll(2) for which it is watched. It calls back until it is closed. */
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
    isListCurrent = false;
  }

  change(events: number): void {
    if (events === this.events) return;
    this.events = events;
    isListCurrent = false;
  }

  close(): void {
    watches.delete(this);
    isListCurrent = false;
  }
}

const watches = new Set<Watch>();
/** False if `watches` has changed since `listWatches` has made `watchList` and `pairs` of it. */
let isListCurrent = false;
let watchList: readonly Watch[] = [];

/** Calls back for events of a descriptor (poll(2)) until the watch is closed. POLLERR and POLLHUP are always reported. */
export function watch(descriptor: number, events: number, callback: (events: number) => void): Watch {
  return new Watch(descriptor, events, callback);
}

type SignalListener = (signal: number) => void;

const signalListeners = new Map<number, SignalListener>();
/** Signals that were caught but not delivered, each with its listener at that time. */
let caughtSignals: (readonly [signal: number, listener: SignalListener])[] = [];
/** Watches for signals. It is opened with the first listener, and stays. */
let signalWatch: Watch | undefined;

/** Catches a signal, for which there may be one listener. It does not keep the loop alive. @throws the system's error */
export function catchSignal(signal: number, listener: SignalListener): void {
  if (signalListeners.size === 0) {
    signalWatch ??= watch(native.openSignals(), POLLIN, () => {
      collectSignals();
      deliverSignals();
    }).unref();
  }
  native.catchSignal(signal, true);
  signalListeners.set(signal, listener);
}

/**
 * Gives a signal its default action. As in Node.js, a listener that is added later does not get signals that were caught before.
 */
export function releaseSignal(signal: number): void {
  if (!signalListeners.has(signal)) return;
  native.catchSignal(signal, false);
  collectSignals();
  signalListeners.delete(signal);
  if (caughtSignals.length > 0) addImmediate(deliverSignals);
}

function collectSignals(): void {
  for (const signal of native.caughtSignals()) {
    const listener = signalListeners.get(signal);
    if (listener !== undefined) caughtSignals.push([signal, listener]);
  }
}

function deliverSignals(): void {
  const deliveredSignals = caughtSignals;
  caughtSignals = [];
  for (const [signal, listener] of deliveredSignals) {
    // An earlier listener may have removed this one.
    if (signalListeners.get(signal) === listener) runCallback(() => listener(signal));
  }
}

/** Runs until nothing keeps the loop alive. */
export function runLoop(): void {
  settle();
  for (;;) {
    runTimers();
    waitForEvents(maxWaitMs());
    // Immediates that these add run in the next turn.
    const dueImmediates = immediates;
    immediates = [];
    for (const immediate of dueImmediates) runCallback(immediate.callback);
    if (!isAlive()) return;
  }
}

function isAlive(): boolean {
  if (immediates.some((immediate) => immediate.hasRef()) || native.descriptorOfWorkers() !== -1) return true;
  for (const timer of timers) if (timer.hasRef()) return true;
  for (const openWatch of watches) if (openWatch.hasRef()) return true;
  return false;
}

function runTimers(): void {
  const now = native.now();
  // A turn of the loop takes less time without a function call for each timer and descriptor.
  const dueTimers: Timer[] = [];
  for (const timer of timers) if (timer.time <= now) dueTimers.push(timer);
  for (const timer of dueTimers.toSorted((left, right) => left.time - right.time)) {
    // An earlier callback may have cleared or refreshed this timer.
    if (timers.has(timer) && timer.time <= now) timer.run();
  }
}

/** Returns the milliseconds for which the loop may wait for descriptors; -1 if there is no limit. */
function maxWaitMs(): number {
  if (immediates.length > 0 || !isAlive()) return 0;
  let firstTime = Infinity;
  for (const { time } of timers) firstTime = Math.min(firstTime, time);
  return firstTime === Infinity ? -1 : Math.max(0, Math.ceil(firstTime - native.now()));
}

/** The descriptors and events of `watchList` in turn, and a last pair for the results of other threads. */
let pairs = new Int32Array(128);

function listWatches(): void {
  watchList = Array.from(watches);
  const neededLength = 2 * (watchList.length + 1);
  if (pairs.length < neededLength) pairs = new Int32Array(2 * neededLength);
  let index = 0;
  for (const { descriptor, events } of watchList) {
    pairs[index++] = descriptor;
    pairs[index++] = events;
  }
  isListCurrent = true;
}

function waitForEvents(milliseconds: number): void {
  if (!isListCurrent) listWatches();
  const list = watchList;
  const workersIndex = 2 * list.length;
  // poll(2) ignores the pair if the descriptor is -1.
  pairs[workersIndex] = native.descriptorOfWorkers();
  pairs[workersIndex + 1] = POLLIN;
  if (native.waitForEvents(pairs, list.length + 1, milliseconds) <= 0) return;
  // All events are read before the first callback, because a callback may wait again, which changes the list and the pairs.
  const readyWatches: { readonly readyWatch: Watch; readonly occurred: number }[] = [];
  for (let index = 0; index < list.length; index++) {
    const occurred = (pairs[2 * index + 1] ?? 0) >> 16;
    const readyWatch = list[index];
    if (occurred !== 0 && readyWatch !== undefined) readyWatches.push({ readyWatch, occurred });
  }
  if ((pairs[workersIndex + 1] ?? 0) >> 16 !== 0) callBackWithResults();
  // Signals come last, as in libuv, so that the output of a child precedes its end.
  let signalEvents: number | undefined;
  for (const { readyWatch, occurred } of readyWatches) {
    if (readyWatch === signalWatch) signalEvents = occurred;
    // An earlier callback may have closed this watch.
    else if (watches.has(readyWatch)) runCallback(() => readyWatch.callback(occurred));
  }
  if (signalEvents !== undefined) runCallback(() => signalWatch?.callback(signalEvents));
}

/** Calls back with the results of other threads. */
function callBackWithResults(): void {
  const callbacksAndResults = native.finishedWork();
  for (let index = 0; index + 1 < callbacksAndResults.length; index += 2) {
    const callback = callbacksAndResults[index];
    const result = callbacksAndResults[index + 1];
    if (typeof callback === "function") runCallback(() => void Reflect.apply(callback, undefined, [result]));
  }
}
