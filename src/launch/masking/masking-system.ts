/**
 * The parts of the system (Linux) that masking needs: the addon, a watcher that waits for descriptors, and pseudo-terminals.
 */
import { SophiaError } from "../../core/error.ts";
import { errorName } from "../../system/errors.ts";
import { limitOf } from "../../system/limits.ts";
import { FORGET, UNTIL_READABLE, UNTIL_UNREAD } from "../../../native/shared.ts";
import { loadMaskingAddon, type MaskingAddon } from "./masking-addon.ts";

/** All programs that this process starts share it. */
export interface System {
  readonly addon: MaskingAddon;
  readonly watcher: Watcher;
}

/** The real terminal, and the pseudo-terminal that the program gets in its place. */
export interface TerminalPair extends System {
  /** A copy of the real terminal's descriptor, for its settings and its size; the owner closes it. */
  readonly real: number;
  /** The master side of the pseudo-terminal, from which this process reads; the owner closes it. */
  readonly master: number;
  /** Resolves when all that the program has written is shown. */
  readonly sync: () => Promise<void>;
}

/** Returns undefined without the addon. @throws SophiaError (system-limit or redact-pipe, 125) */
export async function openSystem(): Promise<System | undefined> {
  const addon = loadMaskingAddon();
  return addon && { addon, watcher: openWatcher(addon) };
}

export type Watcher = ReturnType<typeof openWatcher>;

/**
 * Opens a watcher, which waits for events on descriptors. Each wait ends with one call. A new wait on the same descriptor replaces the
 * one before. It never calls back in the same turn of the event loop.
 */
function openWatcher(addon: MaskingAddon) {
  const callbacks = new Map<number, () => void>();
  const error = addon.startWatching((descriptor) => {
    const callback = callbacks.get(descriptor);
    callbacks.delete(descriptor);
    callback?.();
  });
  if (error !== 0) throw cannotMask(errorName(error));
  const createWait =
    (event: number) =>
    (descriptor: number, callback: () => void): void => {
      callbacks.set(descriptor, callback);
      addon.watch(descriptor, event);
    };
  /** Ends the wait. It must be called before the descriptor is closed. */
  const forget = (descriptor: number): void => {
    callbacks.delete(descriptor);
    addon.watch(descriptor, FORGET);
  };
  return {
    whenReadable: createWait(UNTIL_READABLE),
    /** Waits until the other side of a pipe, socket or terminal is closed for reading. */
    whenUnread: createWait(UNTIL_UNREAD),
    forget,
    /** Ends the wait, and closes a descriptor. @returns the number of unread bytes in a pipe */
    close: (descriptor: number): number => {
      forget(descriptor);
      return addon.closeReading(descriptor);
    },
  };
}

/** Returns the error (system-limit or redact-pipe, 125) for a pipe or pseudo-terminal that the system refuses. */
export function cannotMask(code: string): SophiaError {
  const limit = limitOf(code);
  if (limit === undefined) {
    const message = `the output cannot be masked: the system refuses a pipe (${code})`;
    return new SophiaError({ code: "redact-pipe", message });
  }
  const { message, hint } = limit;
  return new SophiaError({ code: "system-limit", message: `${message}: the output cannot be masked`, hint });
}

/** Returns another descriptor of the same open file. @throws SophiaError (system-limit or redact-pipe, 125) */
export function duplicate({ duplicate: copyOf }: Pick<MaskingAddon, "duplicate">, descriptor: number): number {
  const copy = copyOf(descriptor);
  if (copy < 0) throw cannotMask(errorName(-copy));
  return copy;
}
