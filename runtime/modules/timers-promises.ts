/** The parts of node:timers/promises that the bundle uses. */
import { AbortError } from "../errors.ts";
import { Timer } from "../loop.ts";

interface Options {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

/** Rejects with an AbortError once the signal aborts. */
export function setTimeout<Value>(
  ms = 1,
  value?: Value,
  { signal, ref = true }: Options = {},
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
