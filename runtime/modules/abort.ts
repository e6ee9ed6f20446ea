/**
 * The globals AbortController and AbortSignal of the executable's runtime (WHATWG DOM), with the parts of Event and EventTarget that
 * they need. Like the whole runtime, the file has only what sophia-run's code uses.
 */
import { codedError, invalidType, outOfRange } from "../errors.ts";
import { nextTick, Timer } from "../loop.ts";

type Handler = ((event: Event) => unknown) | { readonly handleEvent: (event: Event) => unknown };

interface Listener {
  readonly handler: Handler;
  readonly isOnce: boolean;
  /** Set if the listener was removed. An event that is being dispatched still has the listener in its list, and must not call it. */
  isRemoved: boolean;
}

interface ListenerOptions {
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

interface Event {
  readonly type: string;
  readonly target: EventTarget;
}

class EventTarget {
  readonly #listeners = new Map<string, Listener[]>();

  /** @param options a boolean is the option `capture`, which has no effect on a target without parents */
  addEventListener(type: string, handler: Handler | null, options: ListenerOptions | boolean = {}): void {
    if (handler === null || handler === undefined) return;
    const { once, signal }: ListenerOptions = typeof options === "object" ? options : {};
    if (signal?.aborted === true) return;
    const listeners = this.#listeners.get(type) ?? [];
    if (listeners.some((listener) => listener.handler === handler)) return;
    this.#listeners.set(type, [...listeners, { handler, isOnce: once === true, isRemoved: false }]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, handler), { once: true });
  }

  removeEventListener(type: string, handler: Handler | null): void {
    const listeners = this.#listeners.get(type) ?? [];
    for (const listener of listeners) if (listener.handler === handler) listener.isRemoved = true;
    this.#listeners.set(
      type,
      listeners.filter(({ isRemoved }) => !isRemoved),
    );
  }

  protected dispatch(event: Event): void {
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (listener.isRemoved) continue;
      const { handler } = listener;
      if (listener.isOnce) this.removeEventListener(event.type, handler);
      try {
        if (typeof handler === "function") handler.call(this, event);
        else handler.handleEvent(event);
      } catch (error) {
        // As in Node.js, the error is reported as an uncaught exception, and the other listeners still get the event.
        nextTick(() => {
          throw error;
        });
      }
    }
  }
}

/** The argument by which only this file can create signals and abort them. */
const INTERNAL_KEY = Symbol("signal");

export class AbortSignal extends EventTarget {
  onabort: ((event: Event) => unknown) | null = null;
  #isAborted = false;
  #reason: unknown;

  constructor(key?: symbol) {
    if (key !== INTERNAL_KEY) throw codedError("ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor", TypeError);
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(INTERNAL_KEY);
    signal.setAborted(INTERNAL_KEY, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    if (typeof ms !== "number") throw invalidType("delay", "of type number", ms);
    if (!(ms >= 0)) throw outOfRange("delay", `>= 0 && <= ${Number.MAX_SAFE_INTEGER}`, ms);
    const signal = new AbortSignal(INTERNAL_KEY);
    const reason = new DOMException("The operation was aborted due to timeout", "TimeoutError");
    const repeats = false;
    new Timer(() => signal.setAborted(INTERNAL_KEY, reason), ms, repeats).unref();
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(INTERNAL_KEY);
    const sources = Array.from(signals);
    const abortedSource = sources.find(({ aborted }) => aborted);
    if (abortedSource !== undefined) {
      result.setAborted(INTERNAL_KEY, abortedSource.reason);
      return result;
    }
    for (const source of sources) {
      source.addEventListener("abort", () => result.setAborted(INTERNAL_KEY, source.reason), { once: true });
    }
    return result;
  }

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Aborts the signal. Has no effect without {@link INTERNAL_KEY}, and on an aborted signal. */
  setAborted(key: symbol, reason?: unknown): void {
    if (key !== INTERNAL_KEY || this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
    const event = { type: "abort", target: this };
    this.onabort?.(event);
    this.dispatch(event);
  }
}

export class AbortController {
  readonly signal = new AbortSignal(INTERNAL_KEY);

  abort(reason?: unknown): void {
    this.signal.setAborted(INTERNAL_KEY, reason);
  }
}
