/** node:events. */
import { AbortError, checkFunction, codedError, invalidType } from "../errors.ts";

type EventName = string | symbol;
// oxlint-disable-next-line typescript/no-explicit-any -- a listener states the types of its event
type Listener = (...values: any[]) => unknown;
/** A listener of once(): the function that was given. */
type OnceListener = Listener & { readonly listener?: Listener };

/** Listeners by event. A list is never changed, so that an emission goes through the one that it began with. */
const ALL = Symbol("events");

/** The part of EventTarget that this module uses. */
interface Target {
  readonly addEventListener: (event: string, listener: (event: unknown) => void, options?: object) => void;
  readonly removeEventListener: (event: string, listener: (event: unknown) => void) => void;
}

const captureRejectionSymbol = Symbol.for("nodejs.rejection");

/** The methods. They need no constructor, because streams call that one as a function. */
class Emitter {
  declare [ALL]: Map<EventName, readonly OnceListener[]> | undefined;

  emit(name: EventName, ...values: unknown[]): boolean {
    const listeners = this[ALL]?.get(name);
    if (listeners === undefined) {
      if (name === "error") throw unhandled(values[0]);
      return false;
    }
    for (const listener of listeners) Reflect.apply(listener, this, values);
    return true;
  }

  on(name: EventName, listener: Listener): this {
    return add(this, name, listener, false);
  }

  addListener(name: EventName, listener: Listener): this {
    return add(this, name, listener, false);
  }

  prependListener(name: EventName, listener: Listener): this {
    return add(this, name, listener, true);
  }

  once(name: EventName, listener: Listener): this {
    checkFunction("listener", listener);
    return this.on(name, onceOf(this, name, listener));
  }

  /** Removes the one that was added last. */
  removeListener(name: EventName, listener: Listener): this {
    checkFunction("listener", listener);
    const all = this[ALL];
    const listeners = all?.get(name);
    const index = listeners?.findLastIndex((one) => one === listener || one.listener === listener) ?? -1;
    const found = listeners?.[index];
    if (all === undefined || listeners === undefined || found === undefined) return this;
    if (listeners.length === 1) all.delete(name);
    else all.set(name, listeners.toSpliced(index, 1));
    // As in Node.js, which reports the argument if there were others.
    const reported = listeners.length === 1 ? (found.listener ?? listener) : listener;
    if (all.has("removeListener")) this.emit("removeListener", name, reported);
    return this;
  }

  off(name: EventName, listener: Listener): this {
    return this.removeListener(name, listener);
  }

  removeAllListeners(name?: EventName): this {
    const all = this[ALL];
    if (all === undefined) return this;
    if (!all.has("removeListener")) {
      if (name === undefined) all.clear();
      else all.delete(name);
      return this;
    }
    const names = name === undefined ? Array.from(all.keys()).filter((one) => one !== "removeListener") : [name];
    for (const one of names)
      for (const listener of (all.get(one) ?? []).toReversed()) this.removeListener(one, listener);
    if (name === undefined) all.clear();
    return this;
  }

  listeners(name: EventName): Listener[] {
    return (this[ALL]?.get(name) ?? []).map((one) => one.listener ?? one);
  }

  listenerCount(name: EventName, listener?: Listener): number {
    const listeners = this[ALL]?.get(name) ?? [];
    if (listener === undefined) return listeners.length;
    return listeners.filter((one) => one === listener || one.listener === listener).length;
  }

  eventNames(): EventName[] {
    return Array.from(this[ALL]?.keys() ?? []);
  }
}

function add<Self extends Emitter>(emitter: Self, name: EventName, listener: OnceListener, isFirst: boolean): Self {
  checkFunction("listener", listener);
  const all = (emitter[ALL] ??= new Map());
  if (all.has("newListener")) emitter.emit("newListener", name, listener.listener ?? listener);
  const listeners = all.get(name) ?? [];
  all.set(name, isFirst ? [listener, ...listeners] : [...listeners, listener]);
  return emitter;
}

function onceOf(emitter: Emitter, name: EventName, listener: Listener): OnceListener {
  let isCalled = false;
  const call = (...values: unknown[]): unknown => {
    if (isCalled) return undefined;
    isCalled = true;
    emitter.removeListener(name, call);
    return Reflect.apply(listener, emitter, values);
  };
  return Object.assign(call, { listener });
}

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
