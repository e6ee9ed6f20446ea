/** Logs the requests that reach the ESC server, so that a test can count them or wait for one. */
import type { Operation } from "./routes.ts";

/** How a request identified itself; the token itself is never kept. */
export type TokenVerdict = "valid" | "invalid" | "malformed" | "missing";

/** One request. */
export interface Call {
  /** `unknown`: the request fits no operation. */
  readonly operation: Operation | "unknown";
  readonly method: string;
  /** The request target without the query, undecoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names; `authorization` is replaced by `<verdict>`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly token: TokenVerdict;
  /** When it had arrived whole, in milliseconds of the server's clock. */
  readonly at: number;
  /** Number of the connection, counted from 1. */
  readonly connection: number;
  /** The status of the answer; `undefined` while there is none, and where a fault leaves none. */
  readonly status: number | undefined;
}

export type MutableCall = { -readonly [Key in keyof Call]: Call[Key] };

interface Waiter {
  readonly operation: Call["operation"] | "any";
  readonly count: number;
  resolve(call: Call): void;
  reject(reason: Error): void;
}

/** The log of requests, and those who wait for one. */
export class CallLog {
  readonly #calls: MutableCall[] = [];
  #waiters: Waiter[] = [];

  get all(): readonly Call[] {
    return this.#calls;
  }

  count(operation: Call["operation"] | "any"): number {
    return operation === "any" ? this.#calls.length : this.#of(operation).length;
  }

  add(call: MutableCall): void {
    this.#calls.push(call);
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => this.count(waiter.operation) < waiter.count);
    for (const waiter of waiting) if (!this.#waiters.includes(waiter)) waiter.resolve(call);
  }

  /** The `count`th call of that operation, as soon as it has arrived. */
  wait(operation: Call["operation"] | "any", count: number): Promise<Call> {
    const there = (operation === "any" ? this.#calls : this.#of(operation))[count - 1];
    if (there !== undefined) return Promise.resolve(there);
    const promise = new Promise<Call>((resolve, reject) => {
      this.#waiters.push({ operation, count, resolve, reject });
    });
    // Whoever no longer waits must not make the process fail when the server closes.
    promise.catch(() => undefined);
    return promise;
  }

  clear(): void {
    this.#calls.length = 0;
  }

  close(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      waiter.reject(new Error(`the server closed before call ${waiter.count} of ${waiter.operation} arrived`));
    }
  }

  #of(operation: Call["operation"]): Call[] {
    return this.#calls.filter((call) => call.operation === operation);
  }
}
