/**
 * The event loop of the executable's runtime. Each turn has the order of libuv, the event loop of Node.js:
 *
 * 1. It calls the callbacks of timers that are due.
 * 2. It waits for events by poll(2).
 * 3. It calls callbacks for results of other threads, then for descriptors, then for signals.
 * 4. It calls the callbacks of immediates.
 *
 * After each callback it runs the callbacks of process.nextTick and of promises that became due. The loop runs until nothing keeps
 * it alive. A `Timer`, `Immediate` or `Watch` keeps it alive until it has run or was closed, unless `unref` was called.
 */
import { natives } from "./native.ts";

interface Natives {
  /**
   * Waits for events by poll(2).
   *
   * @param pairs alternately a descriptor and its events. The events that occurred are written to the upper 16 bits of the latter
   * @param count the number of pairs
   * @param milliseconds the limit on waiting; -1 for none
   * @returns the number of descriptors with events
   */
  readonly waitForEvents: (pairs: Int32Array, count: number, milliseconds: number) => number;
  /** Opens a descriptor that becomes readable when a signal was caught. */
  readonly openSignals: () => number;
  /** Starts or stops catching a signal. A signal that is not caught has its default action. */
  readonly catchSignal: (signal: number, isCaught: boolean) => void;
  /** Returns the signals that were caught since the last call. */
  readonly caughtSignals: () => readonly number[];
  /** Returns a descriptor that becomes readable when another thread has a result; -1 if no thread is working. */
  readonly descriptorOfWorkers: () => number;
  /** Returns the results of other threads: alternately a callback and its argument. */
  readonly finishedWork: () => readonly unknown[];
  /** Runs the callbacks of promises that were settled, until there are none. */
  readonly runPromises: () => void;
  /** Returns the milliseconds of a clock that is never set back. */
  readonly now: () => number;
}

const native = natives<Natives>();

/** The events of poll(2). */
export const [POLLIN, POLLOUT, POLLERR, POLLHUP] = [1, 4, 8, 16];

type Callback = () => void;
/** A function and its arguments. This is faster than a closure that calls the function. */
interface DeferredCall {
  readonly run: (...values: readonly unknown[]) => void;
  readonly values: readonly unknown[];
}

/** The callbacks of process.nextTick, which run before those of promises. */
const ticks: (Callback | DeferredCall)[] = [];
/** The number of callbacks at the beginning of `ticks` that have run, and were not removed yet. */
let finishedTicks = 0;
/** Once this many callbacks have run, they are removed. Otherwise the list would grow while each callback adds another one. */
const MAX_FINISHED_TICKS = 1024;
/** The immediates that run at the end of this turn; while they run, those of the next turn. */
let immediates: Immediate[] = [];

/** Is called with each error of a callback. */
let reportUncaught: (error: unknown) => void = (error) => {
  throw error;
};

/** Sets the function that is called with each error of a callback. By default, such an error ends the process. */
export function onUncaught(handler: (error: unknown) => void): void {
  reportUncaught = handler;
}

/** Reports rejected promises that no code handles. @returns true if there were any */
let reportRejections = (): boolean => false;

/** Sets the function that reports rejected promises after each callback. It must return true if there were any. */
export function onSettled(handler: () => boolean): void {
  reportRejections = handler;
}

/** Adds a callback that runs after the present callback, before the callbacks of promises (process.nextTick). */
export function nextTick(tick: Callback | DeferredCall): void {
  ticks.push(tick);
}

/** Runs a callback, and then the callbacks of process.nextTick and of promises that have become due. */
export function runCallback(callback: Callback): void {
  try {
    callback();
  } catch (error) {
    reportUncaught(error);
  }
  settle();
}

/** Runs all callbacks of process.nextTick and of promises, including those that these callbacks add. */
function settle(): void {
  do {
    for (let tick = ticks[finishedTicks]; tick !== undefined; tick = ticks[finishedTicks]) {
      // The count grows before the call, because the callback may call this function again.
      finishedTicks += 1;
      if (finishedTicks === MAX_FINISHED_TICKS) {
        ticks.splice(0, finishedTicks);
        finishedTicks = 0;
      }
      try {
        if (typeof tick === "function") tick();
        else tick.run(...tick.values);
      } catch (error) {
        reportUncaught(error);
      }
    }
    ticks.length = 0;
    finishedTicks = 0;
    native.runPromises();
    // Rejections are reported last, because a callback above may have added a handler for a rejected promise.
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

/** A callback that runs once, at the end of a turn. */
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

/** The number of timers that this process has created. Each timer gets the next number. */
let timerCount = 0;

/** A callback that runs when a time has passed, once or repeatedly. It is started when it is created. */
export class Timer extends Handle {
  /** The number that this timer is as a primitive value. */
  readonly #number = (timerCount += 1);
  readonly #callback: Callback;
  /** The time from a start until the timer is due, in milliseconds. */
  #ms = 0;
  readonly #repeats: boolean;
  /** When the timer is due, in milliseconds of `native.now()`. */
  dueTime = 0;

  constructor(callback: Callback, ms: number, repeats: boolean) {
    super();
    this.#callback = callback;
    this.#repeats = repeats;
    this.restart(ms);
  }

  /** Starts the timer again, with another number of milliseconds. */
  restart(ms: number): this {
    // As in Node.js, a number out of range and NaN mean 1.
    this.#ms = ms >= 1 && ms <= 0x7fff_ffff ? Math.trunc(ms) : 1;
    return this.refresh();
  }

  /** Starts the timer again, with the same number of milliseconds. */
  refresh(): this {
    this.dueTime = native.now() + this.#ms;
    timers.add(this);
    return this;
  }

  close(): void {
    timers.delete(this);
  }

  /** Calls back. Only the event loop calls this method. */
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

/** The timers that have been started. They are not sorted, because a process has a few dozen at most. */
const timers = new Set<Timer>();

/** Watches a descriptor, and calls back for each event of it until the watch is closed. */
export class Watch extends Handle {
  readonly descriptor: number;
  /** The events of poll(2) for which the watch calls back. `change` changes them, because the list must then be made again. */
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

  /** Changes the events for which the watch calls back. */
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

/** The watches that are not closed. */
const watches = new Set<Watch>();
/** False if `watches` has changed since `listWatches` has copied it to `watchList` and `pairs`. */
let isListCurrent = false;
/** The watches in the order of `pairs`. */
let watchList: readonly Watch[] = [];

/** Begins to watch a descriptor. @param events of poll(2), to which the system always adds POLLERR and POLLHUP */
export function watch(descriptor: number, events: number, callback: (events: number) => void): Watch {
  return new Watch(descriptor, events, callback);
}

type SignalListener = (signal: number) => void;

/** The listeners by the number of their signal. */
const signalListeners = new Map<number, SignalListener>();
/** Signals that were caught, and whose listeners were not called yet. Each has the listener that it had when it was caught. */
let caughtSignals: (readonly [signal: number, listener: SignalListener])[] = [];
/** Reports caught signals. It is opened for the first listener, and never closed. */
let signalWatch: Watch | undefined;

/** Starts catching a signal, which has one listener at most. That does not keep the loop alive. @throws the system's error */
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
 * Stops catching a signal, which then has its default action. As in Node.js, a listener that is added later is not called for
 * signals that were caught before.
 */
export function releaseSignal(signal: number): void {
  if (!signalListeners.has(signal)) return;
  native.catchSignal(signal, false);
  collectSignals();
  signalListeners.delete(signal);
  if (caughtSignals.length > 0) addImmediate(deliverSignals);
}

/** Takes the caught signals from the C code, and adds their listeners. */
function collectSignals(): void {
  for (const signal of native.caughtSignals()) {
    const listener = signalListeners.get(signal);
    if (listener !== undefined) caughtSignals.push([signal, listener]);
  }
}

/** Calls the listeners of the collected signals. */
function deliverSignals(): void {
  const deliveredSignals = caughtSignals;
  caughtSignals = [];
  for (const [signal, listener] of deliveredSignals) {
    // A listener that was called before may have removed this listener.
    if (signalListeners.get(signal) === listener) runCallback(() => listener(signal));
  }
}

/** Runs until nothing keeps the loop alive. */
export function runLoop(): void {
  settle();
  for (;;) {
    runTimers();
    waitForEvents(maxWaitMs());
    // Immediates that these callbacks add run in the next turn.
    const dueImmediates = immediates;
    immediates = [];
    for (const immediate of dueImmediates) runCallback(immediate.callback);
    if (!isAlive()) return;
  }
}

/** Returns true if something keeps the loop alive: a referenced handle, or work in another thread. */
function isAlive(): boolean {
  if (immediates.some((immediate) => immediate.hasRef()) || native.descriptorOfWorkers() !== -1) return true;
  for (const timer of timers) if (timer.hasRef()) return true;
  for (const openWatch of watches) if (openWatch.hasRef()) return true;
  return false;
}

/** Calls back for the timers that are due, those that were due first before the others. */
function runTimers(): void {
  const now = native.now();
  // Loops are used here because they are faster than methods such as `filter`, which call a function for each element.
  const dueTimers: Timer[] = [];
  for (const timer of timers) if (timer.dueTime <= now) dueTimers.push(timer);
  for (const timer of dueTimers.toSorted((left, right) => left.dueTime - right.dueTime)) {
    // An earlier callback may have cleared or refreshed this timer.
    if (timers.has(timer) && timer.dueTime <= now) timer.run();
  }
}

/** Returns the milliseconds for which the loop may wait for descriptors; -1 if there is no limit. */
function maxWaitMs(): number {
  if (immediates.length > 0 || !isAlive()) return 0;
  let firstDueTime = Infinity;
  for (const { dueTime } of timers) firstDueTime = Math.min(firstDueTime, dueTime);
  return firstDueTime === Infinity ? -1 : Math.max(0, Math.ceil(firstDueTime - native.now()));
}

/** The descriptors and events of `watchList`, alternately, followed by a pair for the results of other threads. */
let pairs = new Int32Array(128);

/** Copies the watches to `watchList` and `pairs`. */
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

/** Waits for events, and calls back. @param milliseconds the limit on waiting; -1 for none */
function waitForEvents(milliseconds: number): void {
  if (!isListCurrent) listWatches();
  const list = watchList;
  const workersIndex = 2 * list.length;
  // poll(2) ignores the pair if the descriptor is -1.
  pairs[workersIndex] = native.descriptorOfWorkers();
  pairs[workersIndex + 1] = POLLIN;
  if (native.waitForEvents(pairs, list.length + 1, milliseconds) <= 0) return;
  // All events are read before the first callback, because a callback may run the loop itself, which changes the list and the
  // pairs.
  const readyWatches: { readonly readyWatch: Watch; readonly occurred: number }[] = [];
  for (let index = 0; index < list.length; index++) {
    const occurred = (pairs[2 * index + 1] ?? 0) >> 16;
    const readyWatch = list[index];
    if (occurred !== 0 && readyWatch !== undefined) readyWatches.push({ readyWatch, occurred });
  }
  if ((pairs[workersIndex + 1] ?? 0) >> 16 !== 0) callBackWithResults();
  // Signals come last, as in libuv, so that the output of a child process is read before SIGCHLD reports its end.
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
