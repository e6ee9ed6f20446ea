/**
 * Copies keys from the real terminal to the pseudo-terminal of the program (see job.ts).
 *
 * Keys are read only as long as the program is in the foreground: a shell or an editor that shares the terminal must get its own keys.
 * When the program stops or ends, the monitor collects the keys that the program has not read, and they are typed into the real
 * terminal again.
 */
import { constants, openSync } from "node:fs";
import { deliverSignals } from "../event-listeners.ts";
import { send } from "../signals.ts";
import { closeQuietly, readNow, writeAll } from "./io.ts";
import type { Monitor } from "./monitor.ts";
import type { TerminalPair, Watcher } from "./masking-system.ts";

/** The size of the kernel's input buffer of a terminal. */
const KEYS_BYTES = 4096;
/** The time for which this process waits for the monitor's answer. The monitor may have been killed. */
const ANSWER_MS = 1000;

export type Keyboard = ReturnType<typeof openKeyboard>;

/**
 * Opens the keyboard of the real terminal.
 *
 * @param terminal the keyboard closes it
 * @param typed is called with the keys of each read
 * @param gone is called when the terminal has hung up
 */
export function openKeyboard(terminal: number, watcher: Watcher, typed: (keys: Uint8Array) => void, gone: () => void) {
  const descriptor = openNonBlocking(terminal);
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

/**
 * Opens the terminal again, for reads that do not block. From an open file that other processes share, another process may read first,
 * and the read of this process would block.
 *
 * @returns the new descriptor, in place of the old one; the old one if that is not possible
 */
function openNonBlocking(terminal: number): number {
  try {
    const flags = constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
    const opened = openSync(`/proc/self/fd/${terminal}`, flags);
    closeQuietly(terminal);
    return opened;
  } catch {
    // The terminal may belong to another user.
    return terminal;
  }
}

interface KeyParts extends TerminalPair {
  /** The real terminal, for reading. `close` closes it. */
  readonly input: number;
  /** Called before a signal is sent to the whole job, and so to this process. */
  readonly expect: (signal: NodeJS.Signals) => void;
  readonly monitor: () => Monitor | undefined;
  /** Returns true if the program has ended. */
  readonly hasEnded: () => boolean;
  /** Called when the real terminal has hung up. */
  readonly gone: () => void;
}

/** Prepares to copy keys. `resume` begins. */
export function forwardKeys(parts: KeyParts) {
  const { addon, watcher, input, real, master, expect, monitor, hasEnded, gone } = parts;
  const keyboard = openKeyboard(input, watcher, (keys) => void (lastInput = receive(keys)), gone);
  let isOn = false;
  let isClosed = false;
  let lastInput: Promise<void> = Promise.resolve();
  let answer: (() => void) | undefined;
  /** Keys that the program has not read, for `giveBack`. */
  const unread: Uint8Array[] = [];
  /** Keys that this process has read, and that wait until the program was continued. */
  const waiting: Uint8Array[] = [];
  const pause = (): void => {
    isOn = false;
    keyboard.pause();
  };
  return {
    resume: (): void => {
      isOn = true;
      lastInput = lastInput.then(typeWaiting);
    },
    pause,
    close: (): void => {
      isClosed = true;
      keyboard.close();
    },
    /** Pauses, and collects the keys that the program has not read. @param isLast true if the program has ended */
    collect: async (isLast: boolean): Promise<void> => {
      pause();
      await lastInput;
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      monitor()?.collect(isLast);
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS).unref())]);
      unread.push(...waiting.splice(0));
    },
    /** Takes the monitor's answer. */
    collected: (keys: Uint8Array): void => {
      unread.unshift(keys);
      answer?.();
    },
    /** Types the keys that the program has not read into the real terminal. */
    giveBack: (): void => {
      for (const keys of unread.splice(0)) addon.typeInto(real, keys);
    },
  };

  async function receive(keys: Uint8Array): Promise<void> {
    waiting.push(keys);
    // A SIGCONT that came before the key continues the program. Then the key must wait for that.
    await deliverSignals();
    await typeWaiting();
  }

  async function typeWaiting(): Promise<void> {
    if (isOn || hasEnded()) for (const keys of waiting.splice(0)) await type(keys);
    if (isOn && !isClosed) keyboard.resume();
  }

  async function type(keys: Uint8Array): Promise<void> {
    if (hasEnded()) return void unread.push(keys);
    const signals = signalsOf(keys);
    if (!isClosed) await writeAll(master, keys);
    // The pseudo-terminal sends these signals to the program only. The real terminal would have sent them to the whole job.
    for (const signal of signals) {
      expect(signal);
      send(0, signal);
    }
  }

  /** Returns the signals that the terminal sends for keys, such as SIGINT for Ctrl-C. */
  function signalsOf(keys: Uint8Array): readonly NodeJS.Signals[] {
    if (addon.foregroundGroup(master) !== monitor()?.pid) return [];
    const [interrupt, quit] = addon.modesOf(master);
    return (["SIGINT", "SIGQUIT"] as const).flatMap((signal, index) => {
      const key = [interrupt, quit][index];
      return Array.from(
        keys.filter((byte) => byte === key),
        () => signal,
      );
    });
  }
}
