/**
 * Waits for events of the pipes and terminals from which sophia-run reads the output of a program whose secrets it masks. In
 * Node.js, a thread of the addon for masking waits for them (native/masking/watch.inc). In the executable, these functions replace
 * those of the addon, and the event loop waits. The caller calls `watch` for each event that it wants.
 */
import { FORGET, UNTIL_READABLE } from "../native/shared.ts";
import { POLLIN, watch as watchInLoop, type Watch } from "./loop.ts";

/** The watches whose events have not come yet, by descriptor. */
const watches = new Map<number, Watch>();
/** The function that gets the events. */
let report: (descriptor: number) => void = () => {};
/** True after `startWatching`. From then on the watches keep the event loop alive, as the thread does in Node.js. */
let isStarted = false;

/** Starts to report events. @param onEvent gets the descriptor of each event @returns 0 for success, as the addon does */
export function startWatching(onEvent: (descriptor: number) => void): number {
  report = onEvent;
  isStarted = true;
  return 0;
}

/**
 * Waits for one event of a descriptor, in place of the event for which an earlier call waits.
 *
 * @param event UNTIL_READABLE to wait until it is readable or all writers have closed it; FORGET to wait no longer; any other
 *   number to wait only until all writers have closed it
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
