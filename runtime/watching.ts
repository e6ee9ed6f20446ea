/**
 * The part of the addon for masking that waits for descriptors. In Node.js it is a thread (native/masking/watch.inc); here it
 * is the event loop. A caller asks for one event of a descriptor at a time.
 */
import { FORGET, UNTIL_READABLE } from "../native/shared.ts";
import { POLLIN, watch as watchInLoop, type Watch } from "./loop.ts";

const watches = new Map<number, Watch>();
let report: (descriptor: number) => void = () => {};
/** After `startWatching` the watches keep the event loop alive, as the thread does. */
let isStarted = false;

/** @param onEvent gets the descriptor of each event that `watch` has asked for @returns 0, for success, as the addon does */
export function startWatching(onEvent: (descriptor: number) => void): number {
  report = onEvent;
  isStarted = true;
  return 0;
}

/**
 * Reports the next event of a descriptor, once.
 *
 * @param event UNTIL_READABLE, or another one to wait for the end alone, or FORGET to report nothing
 */
export function watch(descriptor: number, event: number): void {
  watches.get(descriptor)?.close();
  watches.delete(descriptor);
  if (event === FORGET) return;
  const newWatch = watchInLoop(descriptor, event === UNTIL_READABLE ? POLLIN : 0, () => {
    newWatch.close();
    watches.delete(descriptor);
    report(descriptor);
  });
  watches.set(descriptor, newWatch);
  if (!isStarted) newWatch.unref();
}
