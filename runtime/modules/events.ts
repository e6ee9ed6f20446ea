/** node:events. */
import { AbortError, checkFunction, codedError, invalidType } from "../errors.ts";
import { natives } from "../native.ts";

type EventName = string | symbol;
// oxlint-disable-next-line typescript/no-explicit-any -- a listener states the types of its event
type Listener = (...values: any[]) => unknown;
type AddOrRemove<Self> = (name: EventName, listener: Listener) => Self;
/** A listener, or the object of once() with the function that was given. */
type OnceListener = Listener & { readonly listener?: Listener };

interface Natives {
  /** Adds the methods that `Emitter` declares. @param lists the property of an emitter with the listeners of each event */
  readonly addEmitterMethods: (
    prototype: object,
    lists: typeof ALL,
    refuse: (listener: unknown) => void,
    throwUnhandled: (value: unknown) => never,
  ) => void;
}

const native = natives<Natives>();

/** Listeners by event. A list is never changed, so that an emission goes through the one that it began with. */
const ALL = Symbol("events");

/** The part of EventTarget that this module uses. */
interface Target {
  readonly addEventListener: (event: string, listener: (event: unknown) => void, options?: object) => void;
  readonly removeEventListener: (event: string, listener: (event: unknown) => void) => void;
}

const captureRejectionSymbol = Symbol.for("nodejs.rejection");

/**
 * The methods; those that each request of a broker calls hundreds of times are in C (`runtime/native/emitter.c`). They need no
 * constructor, because streams call that one as a function.
 */
class Emitter {
  declare [ALL]: Record<EventName, readonly OnceListener[] | undefined> | undefined;
  declare readonly emit: (name: EventName, ...values: unknown[]) => boolean;
  declare readonly on: AddOrRemove<this>;
  declare readonly addListener: AddOrRemove<this>;
  declare readonly prependListener: AddOrRemove<this>;
  declare readonly once: AddOrRemove<this>;
  /** Removes the one that was added last. */
  declare readonly removeListener: AddOrRemove<this>;
  declare readonly off: AddOrRemove<this>;

  removeAllListeners(name?: EventName): this {
    const all = this[ALL];
    if (all === undefined) return this;
    const names = name === undefined ? this.eventNames() : [name];
    if (all["removeListener"] === undefined) {
      for (const one of names) all[one] = undefined;
      return this;
    }
    for (const one of names) {
      if (one === "removeListener" && name === undefined) continue;
      for (const listener of (all[one] ?? []).toReversed()) this.removeListener(one, listener);
    }
    if (name === undefined) all["removeListener"] = undefined;
    return this;
  }

  listeners(name: EventName): Listener[] {
    return (this[ALL]?.[name] ?? []).map((one) => one.listener ?? one);
  }

  listenerCount(name: EventName, listener?: Listener): number {
    const listeners = this[ALL]?.[name] ?? [];
    if (listener === undefined) return listeners.length;
    return listeners.filter((one) => one === listener || one.listener === listener).length;
  }

  eventNames(): EventName[] {
    const all = this[ALL] ?? {};
    return Reflect.ownKeys(all).filter((name) => all[name] !== undefined);
  }
}

native.addEmitterMethods(
  Emitter.prototype,
  ALL,
  (listener) => checkFunction("listener", listener),
  (value) => {
    throw unhandled(value);
  },
);

export type EventEmitter = Emitter;
/** A function, not a class, because streams and others call it for an object of theirs. */
export const EventEmitter = makeClass();

function Class(): void {}

function makeClass(): typeof Emitter & { readonly EventEmitter: typeof Emitter } {
  Class.prototype = Emitter.prototype;
  Object.defineProperty(Class, "name", { value: "EventEmitter", configurable: true });
  Object.defineProperty(Emitter.prototype, "constructor", { value: Class, configurable: true, writable: true });
  const listenerCount = (emitter: Emitter, name: EventName): number => emitter.listenerCount(name);
  const properties = { EventEmitter: Class, captureRejectionSymbol };
  Object.assign(Class, properties, { once, setMaxListeners, addAbortListener, listenerCount });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the language calls a function with a prototype a class
  return Class as unknown as typeof Emitter & { readonly EventEmitter: typeof Emitter };
}

function unhandled(value: unknown): unknown {
  if (value instanceof Error) return value;
  const message = `Unhandled error. (${typeof value === "string" ? `'${value}'` : String(value)})`;
  return Object.assign(codedError("ERR_UNHANDLED_ERROR", message), { context: value });
}

/** A promise of the values of the next event; an event `error` rejects it, unless that is the one. */
export async function once(
  emitter: EventEmitter | Target,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<unknown[]> {
  const { signal } = options;
  if (signal?.aborted === true) throw new AbortError(signal.reason);
  return new Promise((resolve, reject) => {
    const listen = (event: string, listener: Listener): (() => void) => {
      if ("addEventListener" in emitter) {
        emitter.addEventListener(event, listener, { once: true });
        return () => emitter.removeEventListener(event, listener);
      }
      emitter.once(event, listener);
      return () => emitter.removeListener(event, listener);
    };
    const ends = [listen(name, (...values) => settle(() => resolve(values)))];
    function settle(how: () => void): void {
      for (const end of ends) end();
      signal?.removeEventListener("abort", onAbort);
      how();
    }
    function onAbort(): void {
      settle(() => reject(new AbortError(signal?.reason)));
    }
    if (name !== "error" && !("addEventListener" in emitter))
      ends.push(listen("error", (error) => settle(() => reject(error))));
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Limits nothing: this runtime does not warn of many listeners. */
export function setMaxListeners(): void {}

/** Calls back when the signal is aborted, or soon if it is already. */
export function addAbortListener(signal: AbortSignal, listener: (event?: unknown) => void): Disposable {
  if (signal === undefined) throw invalidType("signal", "an instance of AbortSignal", signal);
  if (signal.aborted) queueMicrotask(() => listener());
  else signal.addEventListener("abort", listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", listener) };
}
