/**
 * The module node:events of the executable's runtime. It has only what sophia-run and its dependencies use. The methods that are on the hot
 * path (one request to the broker calls them hundreds of times) are in C: runtime/native/emitter.c adds them to the prototype.
 */
import { AbortError, checkFunction, codedError, invalidType } from "../errors.ts";
import { natives } from "../native.ts";

type EventName = string | symbol;
// oxlint-disable-next-line typescript/no-explicit-any -- each listener declares the types of its own event
type Listener = (...values: any[]) => unknown;
type ListenerMethod<Self> = (name: EventName, listener: Listener) => Self;
/**
 * An element of a list of listeners: the caller's function, or, after `once`, a function from C that removes itself and calls the function
 * in its property `listener`.
 */
type StoredListener = Listener & { readonly listener?: Listener };

interface Natives {
  /**
   * Adds the methods that are marked `declare` in `Emitter`.
   *
   * @param listsKey the property of an emitter that holds the lists of listeners, keyed by event name
   * @param checkListener throws a TypeError if a listener is not a function
   * @param throwUnhandled throws the error of an event 'error' that has no listeners
   */
  readonly addEmitterMethods: (
    prototype: object,
    listsKey: typeof LISTENERS,
    checkListener: (listener: unknown) => void,
    throwUnhandled: (value: unknown) => never,
  ) => void;
}

const native = natives<Natives>();

/**
 * The property that holds the lists of listeners. A change replaces a list by a new one, so that an event that is being emitted still calls
 * all listeners that it had at its beginning.
 */
const LISTENERS = Symbol("events");

/** The part of EventTarget that this module uses. */
interface EventTargetLike {
  readonly addEventListener: (event: string, listener: (event: unknown) => void, options?: object) => void;
  readonly removeEventListener: (event: string, listener: (event: unknown) => void) => void;
}

/** Exported for compatibility only: rejections of async listeners are not captured. */
const captureRejectionSymbol = Symbol.for("nodejs.rejection");

/**
 * The methods of an EventEmitter. They must work without a constructor, because `EventEmitter.call(this)` of a stream initializes no
 * fields of this class. So the methods create the lists of listeners when they need them.
 */
class Emitter {
  declare [LISTENERS]: Record<EventName, readonly StoredListener[] | undefined> | undefined;
  declare readonly emit: (name: EventName, ...values: unknown[]) => boolean;
  declare readonly on: ListenerMethod<this>;
  declare readonly addListener: ListenerMethod<this>;
  declare readonly prependListener: ListenerMethod<this>;
  declare readonly once: ListenerMethod<this>;
  /** If a listener was added several times, this removes the one that was added last. */
  declare readonly removeListener: ListenerMethod<this>;
  declare readonly off: ListenerMethod<this>;

  removeAllListeners(name?: EventName): this {
    const lists = this[LISTENERS];
    if (lists === undefined) return this;
    const isForAllEvents = name === undefined;
    const names = isForAllEvents ? this.eventNames() : [name];
    if (lists["removeListener"] === undefined) {
      // Nothing listens to 'removeListener', so that it need not be emitted. An undefined list means that there are no listeners.
      for (const eventName of names) lists[eventName] = undefined;
      return this;
    }
    // Each removal emits 'removeListener'. So the listeners of this event itself are removed last, which emits nothing.
    for (const eventName of names) {
      if (isForAllEvents && eventName === "removeListener") continue;
      for (const listener of (lists[eventName] ?? []).toReversed()) this.removeListener(eventName, listener);
    }
    if (isForAllEvents) lists["removeListener"] = undefined;
    return this;
  }

  listeners(name: EventName): Listener[] {
    return (this[LISTENERS]?.[name] ?? []).map((stored) => stored.listener ?? stored);
  }

  listenerCount(name: EventName, listener?: Listener): number {
    const listeners = this[LISTENERS]?.[name] ?? [];
    if (listener === undefined) return listeners.length;
    return listeners.filter((stored) => stored === listener || stored.listener === listener).length;
  }

  eventNames(): EventName[] {
    const lists = this[LISTENERS] ?? {};
    // An event whose listeners are all removed still has its property, with undefined.
    return Reflect.ownKeys(lists).filter((name) => lists[name] !== undefined);
  }
}

native.addEmitterMethods(
  Emitter.prototype,
  LISTENERS,
  (listener) => checkFunction("listener", listener),
  (value) => {
    throw unhandledError(value);
  },
);

export type EventEmitter = Emitter;
/** The constructor is a function, not a class, because streams call it as `EventEmitter.call(this)`, which a class refuses. */
export const EventEmitter = createConstructor();

function Constructor(): void {}

function createConstructor(): typeof Emitter & { readonly EventEmitter: typeof Emitter } {
  Constructor.prototype = Emitter.prototype;
  Object.defineProperty(Constructor, "name", { value: "EventEmitter", configurable: true });
  Object.defineProperty(Emitter.prototype, "constructor", { value: Constructor, configurable: true, writable: true });
  const listenerCount = (emitter: Emitter, name: EventName): number => emitter.listenerCount(name);
  const properties = { EventEmitter: Constructor, captureRejectionSymbol };
  Object.assign(Constructor, properties, { once, setMaxListeners, addAbortListener, listenerCount });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript cannot express that this function constructs an Emitter
  return Constructor as unknown as typeof Emitter & { readonly EventEmitter: typeof Emitter };
}

/** Returns the error to throw for an event 'error' without listeners. @param value the first value of the event */
function unhandledError(value: unknown): unknown {
  if (value instanceof Error) return value;
  const message = `Unhandled error. (${typeof value === "string" ? `'${value}'` : String(value)})`;
  return Object.assign(codedError("ERR_UNHANDLED_ERROR", message), { context: value });
}

/**
 * Resolves with the values of the next event. Rejects if an EventEmitter emits 'error', unless that is the awaited event, and with an
 * AbortError if the signal aborts.
 */
export async function once(
  emitter: EventEmitter | EventTargetLike,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<unknown[]> {
  const { signal } = options;
  if (signal?.aborted === true) throw new AbortError(signal.reason);
  return new Promise((resolve, reject) => {
    // The functions below refer to each other, but none is called before all are defined: events are emitted later.
    /** Adds a listener. @returns a function that removes the listener */
    const listen = (event: string, listener: Listener): (() => void) => {
      if ("addEventListener" in emitter) {
        emitter.addEventListener(event, listener, { once: true });
        return () => emitter.removeEventListener(event, listener);
      }
      emitter.once(event, listener);
      return () => emitter.removeListener(event, listener);
    };
    const removers = [listen(name, (...values) => settle(() => resolve(values)))];
    function settle(resolveOrReject: () => void): void {
      for (const remove of removers) remove();
      signal?.removeEventListener("abort", onAbort);
      resolveOrReject();
    }
    function onAbort(): void {
      settle(() => reject(new AbortError(signal?.reason)));
    }
    if (name !== "error" && !("addEventListener" in emitter)) {
      removers.push(listen("error", (error) => settle(() => reject(error))));
    }
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Does nothing: it sets the number of listeners from which Node.js warns of a leak, and this runtime never warns. */
export function setMaxListeners(): void {}

/** Calls the listener when the signal aborts, or in a microtask if it has aborted already. @returns an object that removes the listener */
export function addAbortListener(signal: AbortSignal, listener: (event?: unknown) => void): Disposable {
  if (signal === undefined) throw invalidType("signal", "an instance of AbortSignal", signal);
  if (signal.aborted) queueMicrotask(() => listener());
  else signal.addEventListener("abort", listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", listener) };
}
