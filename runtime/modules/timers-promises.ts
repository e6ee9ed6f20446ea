/** The parts of node:timers/promises that the bundle uses. */
import { AbortError } from "../errors.ts";
import { Timer } from "../loop.ts";

interface TimeoutOptions {
  readonly signal?: AbortSignal;
  /** If it is false, the timer does not keep the event loop alive. */
  readonly ref?: boolean;
}

/** Resolves with the value after so many milliseconds. Rejects with an AbortError as soon as the signal aborts. */
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
    const timer = new Timer(
      () => {
        signal?.removeEventListener("abort", abort);
        resolve(value);
      },
      ms,
      false,
    );
    if (!ref) timer.unref();
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
