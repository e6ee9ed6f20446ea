/**
 * The parts of the system (Linux) with which this process masks the program's output: the addon with its system calls, and a
 * watcher, which waits for events on descriptors.
 */
import { SophiaError } from "../../core/error.ts";
import { errorName } from "../../system/errors.ts";
import { findSystemLimit } from "../../system/system-limits.ts";
import { FORGET, UNTIL_READABLE, UNTIL_UNREAD } from "../../../native/shared.ts";
import { loadMaskingAddon, type MaskingAddon } from "./masking-addon.ts";

/** One system is opened for all programs that this process starts. */
export interface System {
  readonly addon: MaskingAddon;
  readonly watcher: Watcher;
}

/** The real terminal, and the pseudo-terminal that the program gets in its place. */
export interface TerminalPair extends System {
  /** A copy of the real terminal's descriptor, for its settings and its size. The object that gets this pair closes it. */
  readonly userTerminal: number;
  /** A copy of the descriptor of the pseudo-terminal's master side. The object that gets this pair closes it, too. */
  readonly master: number;
  /** Shows all that the program has written so far. Resolves when that is done. */
  readonly showOutput: () => Promise<void>;
}

/** Opens the system. @returns undefined without the addon @throws SophiaError (system-limit or redact-pipe, 125) */
export async function openSystem(): Promise<System | undefined> {
  const addon = loadMaskingAddon();
  return addon && { addon, watcher: openWatcher(addon) };
}

export type Watcher = ReturnType<typeof openWatcher>;

/**
 * Opens a watcher, which waits for events on descriptors. It calls back once for each wait, and never in the turn of the event loop
 * in which the wait began. A new wait on the same descriptor replaces the former wait.
 */
function openWatcher(addon: MaskingAddon) {
  const callbacks = new Map<number, () => void>();
  const error = addon.startWatching((descriptor) => {
    const callback = callbacks.get(descriptor);
    callbacks.delete(descriptor);
    callback?.();
  });
  if (error !== 0) throw cannotMask(errorName(error));
  const wait = (descriptor: number, event: number, callback: () => void): void => {
    callbacks.set(descriptor, callback);
    addon.watch(descriptor, event);
  };
  /** Ends the wait. Must be called before the descriptor is closed. */
  const forget = (descriptor: number): void => {
    callbacks.delete(descriptor);
    addon.watch(descriptor, FORGET);
  };
  return {
    whenReadable: (descriptor: number, callback: () => void): void => wait(descriptor, UNTIL_READABLE, callback),
    /** Waits until the other side of a pipe, socket or terminal is closed for reading. */
    whenUnread: (descriptor: number, callback: () => void): void => wait(descriptor, UNTIL_UNREAD, callback),
    forget,
    /** Ends the wait, and closes a descriptor. @returns the number of unread bytes in a pipe */
    close: (descriptor: number): number => {
      forget(descriptor);
      return addon.closeReading(descriptor);
    },
  };
}

/**
 * Returns the error for a pipe or pseudo-terminal that the system refuses (125): `system-limit` if a limit such as that of open
 * files is the reason, otherwise `redact-pipe`.
 */
export function cannotMask(code: string): SophiaError {
  const limit = findSystemLimit(code);
  if (limit === undefined) {
    const message = `the output cannot be masked: the system refuses a pipe (${code})`;
    return new SophiaError({ code: "redact-pipe", message });
  }
  const { message, hint } = limit;
  return new SophiaError({ code: "system-limit", message: `${message}: the output cannot be masked`, hint });
}

/** Returns another descriptor of the same open file. @throws SophiaError (system-limit or redact-pipe, 125) */
export function duplicate(addon: Pick<MaskingAddon, "duplicate">, descriptor: number): number {
  const copyOrError = addon.duplicate(descriptor);
  if (copyOrError < 0) throw cannotMask(errorName(-copyOrError));
  return copyOrError;
}
