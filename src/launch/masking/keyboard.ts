/**
 * Keys at the real terminal of a program that runs on a pseudo-terminal (see job.ts). They are read only as long as the
 * program has the foreground: a shell or an editor that shares the terminal must get its own keys. Keys that the program
 * has not read when it stops or ends are collected by the monitor, and typed into the real terminal again.
 */
import { constants, openSync } from "node:fs";
import { deliverSignals } from "../event-listeners.ts";
import { send } from "../signals.ts";
import { closeQuietly, readNow, writeAll } from "./io.ts";
import type { Monitor } from "./monitor.ts";
import type { Terminal, Watcher } from "./masking-system.ts";

/** The size of a terminal's input buffer. */
const KEYS_BYTES = 4096;
/** The time limit for the monitor's answer; it may have been killed. */
const ANSWER_MS = 1000;

export type Keyboard = ReturnType<typeof openKeyboard>;

/** @param terminal the real one, which the keyboard closes @param gone called when the terminal is gone */
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

/** Opens the terminal again: another process may be faster to read from a shared open file, and a read would block. */
function nonBlocking(terminal: number): number {
  try {
    const flags = constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
    const own = openSync(`/proc/self/fd/${terminal}`, flags);
    closeQuietly(terminal);
    return own;
  } catch {
    // It may belong to another user.
    return terminal;
  }
}

interface KeyParts extends Terminal {
  /** The real terminal, for reading; it is closed. */
  readonly input: number;
  readonly expect: (signal: NodeJS.Signals) => void;
  readonly monitor: () => Monitor | undefined;
  readonly hasEnded: () => boolean;
  readonly gone: () => void;
}

export function forwardKeys(parts: KeyParts) {
  const { addon, watcher, input, real, master, expect, monitor, hasEnded, gone } = parts;
  const keyboard = openKeyboard(input, watcher, (keys) => void (lastInput = receive(keys)), gone);
  let isOn = false;
  let isClosed = false;
  let lastInput: Promise<void> = Promise.resolve();
  let answer: (() => void) | undefined;
  const unread: Uint8Array[] = [];
  /** Keys that were read and must wait: the program must be continued first. */
  const held: Uint8Array[] = [];
  const pause = (): void => {
    isOn = false;
    keyboard.pause();
  };
  return {
    resume: (): void => {
      isOn = true;
      lastInput = lastInput.then(typeHeld);
    },
    pause,
    close: (): void => {
      isClosed = true;
      keyboard.close();
    },
    /** Pauses, and collects the keys that the program has not read. @param isLast the program's terminal is closed */
    collect: async (isLast: boolean): Promise<void> => {
      pause();
      await lastInput;
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      monitor()?.collect(isLast);
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS).unref())]);
      unread.push(...held.splice(0));
    },
    collected: (keys: Uint8Array): void => {
      unread.unshift(keys);
      answer?.();
    },
    giveBack: (): void => {
      for (const keys of unread.splice(0)) addon.typeInto(real, keys);
    },
  };

  async function receive(keys: Uint8Array): Promise<void> {
    held.push(keys);
    // A SIGCONT that came before the key may ask to continue the program: then the key is held.
    await deliverSignals();
    await typeHeld();
  }

  async function typeHeld(): Promise<void> {
    if (isOn || hasEnded()) for (const keys of held.splice(0)) await type(keys);
    if (isOn && !isClosed) keyboard.resume();
  }

  async function type(keys: Uint8Array): Promise<void> {
    if (hasEnded()) return void unread.push(keys);
    const signals = signalsOf(keys);
    if (!isClosed) await writeAll(master, keys);
    // The pseudo-terminal sends them to the program only; the real terminal would have sent them to the whole job.
    for (const signal of signals) {
      expect(signal);
      send(0, signal);
    }
  }

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
