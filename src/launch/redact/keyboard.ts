import { constants, openSync } from "node:fs";
import { closeQuietly } from "./source.ts";
import { readNow, type Watcher } from "./watcher.ts";

/** As much as a terminal holds of what was typed. */
const KEYS_BYTES = 4096;

export type Keyboard = ReturnType<typeof openKeyboard>;

/**
 * Opens the real terminal, from which keys are read only as long as they are the program's.
 *
 * @param terminal is closed
 * @param gone is called when there is no terminal any more
 */
export function openKeyboard(terminal: number, watcher: Watcher, typed: (keys: Uint8Array) => void, gone: () => void) {
  const descriptor = nonBlocking(terminal);
  let isClosed = false;
  const buffer = new Uint8Array(KEYS_BYTES);
  const read = (): void => {
    const length = readNow(descriptor, buffer);
    if (length === "nothing") resume();
    else if (length === 0) gone();
    else typed(buffer.slice(0, length));
  };
  const resume = (): void => void (isClosed || watcher.whenReadable(descriptor, read));
  const pause = (): void => void (isClosed || watcher.forget(descriptor));
  return {
    /** Reads once, and pauses. */
    resume,
    pause,
    close: (): void => {
      pause();
      if (!isClosed) closeQuietly(descriptor);
      isClosed = true;
    },
  };
}

/** The same terminal opened again, since others share this open file: another process may be faster to read. */
function nonBlocking(terminal: number): number {
  try {
    const flags = constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
    const own = openSync(`/proc/self/fd/${terminal}`, flags);
    closeQuietly(terminal);
    return own;
  } catch {
    // It is another user's, perhaps.
    return terminal;
  }
}
