/** AbortController and AbortSignal (WHATWG, DOM), which are globals, and what they need of Event and EventTarget. */
import { codedError, invalidType, outOfRange } from "../errors.ts";
import { nextTick, Timer } from "../loop.ts";

type Handler = ((event: Event) => unknown) | { readonly handleEvent: (event: Event) => unknown };

interface Listener {
  readonly handler: Handler;
  readonly isOnce: boolean;
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

  addEventListener(type: string, handler: Handler | null, options: ListenerOptions | boolean = {}): void {
    if (handler === null || handler === undefined) return;
    const { once, signal }: ListenerOptions = typeof options === "object" ? options : {};
    if (signal?.aborted === true) return;
    const listeners = this.#listeners.get(type) ?? [];
    if (listeners.some((one) => one.handler === handler)) return;
    this.#listeners.set(type, [...listeners, { handler, isOnce: once === true, isRemoved: false }]);
    signal?.addEventListener("abort", () => this.removeEventListener(type, handler), { once: true });
  }

  removeEventListener(type: string, handler: Handler | null): void {
    const listeners = this.#listeners.get(type) ?? [];
    for (const one of listeners) if (one.handler === handler) one.isRemoved = true;
    this.#listeners.set(
      type,
      listeners.filter((one) => !one.isRemoved),
    );
  }

  protected dispatch(event: Event): void {
    for (const one of this.#listeners.get(event.type) ?? []) {
      if (one.isRemoved) continue;
      const { handler } = one;
      if (one.isOnce) this.removeEventListener(event.type, handler);
      try {
        if (typeof handler === "function") handler.call(this, event);
        else handler.handleEvent(event);
      } catch (error) {
        // As in Node.js, it is not caught, and does not keep others from the event.
        nextTick(() => {
          throw error;
        });
      }
    }
  }
}

/** Only this file makes signals. */
const MADE_HERE = Symbol("signal");

export class AbortSignal extends EventTarget {
  onabort: ((event: Event) => unknown) | null = null;
  #isAborted = false;
  #reason: unknown;

  constructor(key?: symbol) {
    if (key !== MADE_HERE) throw codedError("ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor", TypeError);
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(MADE_HERE);
    signal.setAborted(MADE_HERE, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    if (typeof ms !== "number") throw invalidType("delay", "of type number", ms);
    if (!(ms >= 0)) throw outOfRange("delay", `>= 0 && <= ${Number.MAX_SAFE_INTEGER}`, ms);
    const signal = new AbortSignal(MADE_HERE);
    const reason = new DOMException("The operation was aborted due to timeout", "TimeoutError");
    new Timer(() => signal.setAborted(MADE_HERE, reason), ms, false).unref();
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(MADE_HERE);
    const all = Array.from(signals);
    const aborted = all.find((one) => one.aborted);
    if (aborted !== undefined) result.setAborted(MADE_HERE, aborted.reason);
    else
      for (const one of all) {
        one.addEventListener("abort", () => result.setAborted(MADE_HERE, one.reason), { once: true });
      }
    return result;
  }

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  setAborted(key: symbol, reason?: unknown): void {
    if (key !== MADE_HERE || this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
    const event = { type: "abort", target: this };
    this.onabort?.(event);
    this.dispatch(event);
  }
}

export class AbortController {
  readonly signal = new AbortSignal(MADE_HERE);

  abort(reason?: unknown): void {
    this.signal.setAborted(MADE_HERE, reason);
  }
}
