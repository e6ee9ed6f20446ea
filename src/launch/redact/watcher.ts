import { readSync } from "node:fs";
import { errorName, systemErrorCode } from "../../system/errors.ts";
import { FORGET, UNTIL_READABLE, UNTIL_UNREAD } from "../../system/shared.ts";
import type { RedactAddon } from "./addon.ts";

export type Watcher = Exclude<ReturnType<typeof openWatcher>, string>;

/**
 * Calls back when something happens to a descriptor: once, for the last that was asked of it. Never in the same turn.
 *
 * @returns the code of the system's error if it gives no thread or descriptor for it
 */
export function openWatcher(addon: RedactAddon) {
  const callbacks = new Map<number, () => void>();
  const watching = addon.startWatching((descriptor) => {
    const callback = callbacks.get(descriptor);
    callbacks.delete(descriptor);
    callback?.();
  });
  if (watching < 0) return errorName(-watching);
  const wait =
    (what: number) =>
    (descriptor: number, callback: () => void): void => {
      callbacks.set(descriptor, callback);
      addon.watch(watching, descriptor, what);
    };
  return {
    /** There are bytes to read, or the end is. */
    whenReadable: wait(UNTIL_READABLE),
    /** Nobody reads any more from the pipe, socket or terminal to which it leads. */
    whenUnread: wait(UNTIL_UNREAD),
    /** Must be called before the descriptor is closed, and if nothing is waited for any more. */
    forget: (descriptor: number): void => {
      callbacks.delete(descriptor);
      addon.watch(watching, descriptor, FORGET);
    },
  };
}

/**
 * Reads from a descriptor that is non-blocking or readable, without waiting.
 *
 * @returns 0 at the end, which on the launcher's side of a pseudo-terminal is an error
 */
export function readNow(descriptor: number, buffer: Uint8Array): number | "nothing" {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    return systemErrorCode(error) === "EAGAIN" ? "nothing" : 0;
  }
}
