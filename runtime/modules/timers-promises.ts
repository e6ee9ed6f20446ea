/** The module node:timers/promises of the executable's runtime. It has only `setTimeout`, since sophia-run's code uses no more of it. */
import { AbortError } from "../errors.ts";
import { Timer } from "../loop.ts";

interface TimeoutOptions {
  readonly signal?: AbortSignal;
  /** False for a timer that does not keep the event loop alive. */
  readonly ref?: boolean;
}

/** Resolves with `value` after `ms` milliseconds. Rejects with an AbortError as soon as the signal aborts. */
export function setTimeout<Value>(
  ms = 1,
  value?: Value,
  { signal, ref = true }: TimeoutOptions = {},
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.close();
      reject(new AbortError(signal?.reason));
    };
    const finish = (): void => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    };
    const repeats = false;
    const timer = new Timer(finish, ms, repeats);
    if (!ref) timer.unref();
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
