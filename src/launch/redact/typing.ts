import { send } from "../signals.ts";
import type { RedactAddon } from "./addon.ts";
import type { ExpectedSignals } from "./expected.ts";
import { openKeyboard } from "./keyboard.ts";
import type { Monitor } from "./monitor.ts";
import { writeAll } from "./sink.ts";
import type { Watcher } from "./watcher.ts";

/** How long the monitor's answer is waited for; it was killed, perhaps. */
const ANSWER_MS = 1000;

/** What is typed at the real terminal, for the program on its pseudo-terminal. */
export interface Typing {
  /** Passes keys on from now on. */
  readonly resume: () => void;
  readonly pause: () => void;
  /** There is nobody any more to whom keys could be passed on. */
  readonly close: () => void;
  /** Asks for what the program has not read of what was typed: it is for whoever reads next. Pauses. */
  readonly collect: (isLast: boolean) => Promise<void>;
  /** The monitor's answer to that. */
  readonly collected: (keys: Uint8Array) => void;
  /** Gives it to whoever reads the real terminal now, where the system allows that. */
  readonly giveBack: () => void;
}

export interface TypingParts {
  readonly addon: RedactAddon;
  readonly watcher: Watcher;
  /** The real terminal, for reading; it is closed. */
  readonly input: number;
  readonly real: number;
  /** The launcher's side of the pseudo-terminal. */
  readonly master: number;
  readonly expected: ExpectedSignals;
  /** While the program runs. */
  readonly monitor: () => Monitor | undefined;
  /** The program has ended. */
  readonly isOver: () => boolean;
  /** Called when there is no terminal any more. */
  readonly gone: () => void;
}

export function openTyping(parts: TypingParts): Typing {
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
    resume: () => {
      isOn = true;
      keyboard.resume();
    },
    pause,
    close: () => {
      isClosed = true;
      keyboard.close();
    },
    collect: async (isLast) => {
      pause();
      await last;
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      monitor()?.collect(isLast);
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS).unref())]);
    },
    collected: (keys) => {
      unread.unshift(keys);
      answer?.();
    },
    giveBack: () => {
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
    return addon.signalKeys(master).flatMap((key, index) => {
      const signal = index === 0 ? ("SIGINT" as const) : ("SIGQUIT" as const);
      return Array.from(keys)
        .filter((byte) => byte === key)
        .map(() => signal);
    });
  }
}
