/** The part of the addon for masking that waits for descriptors: in Node.js a thread (native/masking/watch.inc), here the loop. */
import { FORGET, UNTIL_READABLE } from "../native/shared.ts";
import { POLLIN, watch as watchIn, type Watch } from "./loop.ts";

const watched = new Map<number, Watch>();
let report: (descriptor: number) => void = () => {};
/** Keeps the loop alive, as the thread does. */
let isKept = false;

export function startWatching(onEvent: (descriptor: number) => void): number {
  report = onEvent;
  isKept = true;
  return 0;
}

/** Reports the next event once. */
export function watch(descriptor: number, event: number): void {
  watched.get(descriptor)?.close();
  watched.delete(descriptor);
  if (event === FORGET) return;
  const one = watchIn(descriptor, event === UNTIL_READABLE ? POLLIN : 0, () => {
    one.close();
    watched.delete(descriptor);
    report(descriptor);
  });
  watched.set(descriptor, one);
  if (!isKept) one.unref();
}
