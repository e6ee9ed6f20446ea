import { send } from "../signals.ts";
import type { ExpectedSignals } from "./expected.ts";
import { openKeyboard } from "./keyboard.ts";
import type { Monitor } from "./monitor.ts";
import { writeAll } from "./sink.ts";
import type { Terminal } from "./system.ts";

/** The time limit for the monitor's answer; it was killed, perhaps. */
const ANSWER_MS = 1000;

interface TypingParts extends Terminal {
  /** The real terminal, for reading; it is closed. */
  readonly input: number;
  readonly expected: ExpectedSignals;
  /** While the program runs. */
  readonly monitor: () => Monitor | undefined;
  /** The program has ended. */
  readonly isOver: () => boolean;
  /** Called when there is no terminal any more. */
  readonly gone: () => void;
}

/** Passes on what is typed at the real terminal to the program on its pseudo-terminal. */
export function openTyping(parts: TypingParts) {
  const { addon, watcher, input, real, master, expected, monitor, isOver, gone } = parts;
  const keyboard = openKeyboard(input, watcher, (keys) => void (last = type(keys)), gone);
  let isOn = false;
  let isClosed = false;
  let last: Promise<void> = Promise.resolve();
  let answer: (() => void) | undefined;
  const unread: Uint8Array[] = [];
  const pause = (): void => {
    isOn = false;
    keyboard.pause();
  };
  return {
    resume: (): void => {
      isOn = true;
      keyboard.resume();
    },
    pause,
    close: (): void => {
      isClosed = true;
      keyboard.close();
    },
    /** Asks for what the program has not read of what was typed: it is for the next reader. Pauses. */
    collect: async (isLast: boolean): Promise<void> => {
      pause();
      await last;
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      monitor()?.collect(isLast);
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS).unref())]);
    },
    /** Takes the monitor's answer to that. */
    collected: (keys: Uint8Array): void => {
      unread.unshift(keys);
      answer?.();
    },
    /** Gives it to the present reader of the real terminal, where the system allows that. */
    giveBack: (): void => {
      for (const keys of unread.splice(0)) addon.typeInto(real, keys);
    },
  };

  /** Passes keys on. Those that send a signal send it to the whole job, as the real terminal would have done. */
  async function type(keys: Uint8Array): Promise<void> {
    if (isOver()) return void unread.push(keys);
    const signals = signalsOf(keys);
    if (!isClosed) await writeAll(master, keys);
    for (const signal of signals) {
      expected.expect(signal);
      send(0, signal);
    }
    if (isOn && !isClosed) keyboard.resume();
  }

  function signalsOf(keys: Uint8Array): readonly NodeJS.Signals[] {
    if (addon.foregroundGroup(master) !== monitor()?.pid) return [];
    const [interrupt, quit] = addon.modesOf(master);
    const count = (key: number): number => keys.filter((byte) => byte === key).length;
    return [
      ...Array.from({ length: count(interrupt) }, () => "SIGINT" as const),
      ...Array.from({ length: count(quit) }, () => "SIGQUIT" as const),
    ];
  }
}
