/**
 * Copies keys from the real terminal to the pseudo-terminal of a program whose output is masked (see job.ts).
 *
 * Keys are read only as long as the program is in the foreground: a shell or an editor that shares the terminal must get its own
 * keys. When the program stops or ends, the monitor (monitor.ts) collects the keys that the program has not read, and this process
 * types them into the real terminal again.
 */
import { constants, openSync } from "node:fs";
import { deliverSignals } from "../event-listeners.ts";
import { send } from "../signals.ts";
import { closeQuietly, readNow, writeAll } from "./io.ts";
import type { Monitor } from "./monitor.ts";
import type { TerminalPair, Watcher } from "./masking-system.ts";

/** The size of the kernel's input buffer of a terminal. */
const KEYS_BYTES = 4096;
/** The time for which this process waits for the monitor's answer. None comes if the monitor was killed. */
const ANSWER_MS = 1000;

export type Keyboard = ReturnType<typeof openKeyboard>;

interface KeyboardEvents {
  /** Called with the keys of each read. */
  readonly onKeys: (keys: Uint8Array) => void;
  /** Called when the terminal has hung up. */
  readonly onHangUp: () => void;
}

/** Opens the keyboard of the real terminal. @param terminal a descriptor of the terminal; the keyboard closes it */
export function openKeyboard(terminal: number, watcher: Watcher, { onKeys, onHangUp }: KeyboardEvents) {
  const descriptor = openNonBlocking(terminal);
  let isClosed = false;
  const buffer = new Uint8Array(KEYS_BYTES);
  const read = (): void => {
    const length = readNow(descriptor, buffer);
    if (length === "nothing") resume();
    else if (length === 0) onHangUp();
    else onKeys(buffer.slice(0, length));
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
 * Opens the terminal again, for reads that do not block. Other processes share the open file of the given descriptor. If one of
 * them reads the available keys first, a read of this process would block.
 *
 * @returns the new descriptor, in place of the given one; the given one if that is not possible
 */
function openNonBlocking(terminal: number): number {
  try {
    const flags = constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
    const descriptor = openSync(`/proc/self/fd/${terminal}`, flags);
    closeQuietly(terminal);
    return descriptor;
  } catch {
    // The terminal may belong to another user.
    return terminal;
  }
}

interface ForwarderParts extends TerminalPair {
  /** The real terminal, for reading. `close` closes it. */
  readonly input: number;
  /** Called before a signal is sent to the whole job, and so to this process. */
  readonly expectSignal: (signal: NodeJS.Signals) => void;
  /** Returns undefined before the program's start. */
  readonly monitor: () => Monitor | undefined;
  readonly hasProgramEnded: () => boolean;
  /** Called when the real terminal has hung up. */
  readonly onHangUp: () => void;
}

/** Copies keys to the program. Nothing is copied before the first `resume`. */
export class KeyForwarder {
  readonly #parts: ForwarderParts;
  readonly #keyboard: Keyboard;
  #isOn = false;
  #isClosed = false;
  /** Resolves when all keys that were read so far were handled. */
  #lastInput: Promise<void> = Promise.resolve();
  /** Called when the monitor has answered `collectUnread`. */
  #onAnswer: (() => void) | undefined;
  /** Keys that the program has not read, for `giveBack`. */
  readonly #unread: Uint8Array[] = [];
  /** Keys that this process has read, and that wait until the program was continued. */
  readonly #waiting: Uint8Array[] = [];

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#keyboard = openKeyboard(parts.input, parts.watcher, {
      onKeys: (keys) => {
        this.#lastInput = this.#receive(keys);
      },
      onHangUp: parts.onHangUp,
    });
  }

  resume(): void {
    this.#isOn = true;
    this.#lastInput = this.#lastInput.then(() => this.#typeWaiting());
  }

  pause(): void {
    this.#isOn = false;
    this.#keyboard.pause();
  }

  close(): void {
    this.#isClosed = true;
    this.#keyboard.close();
  }

  /** Pauses, and collects the keys that the program has not read. */
  async collectUnread({ hasProgramEnded }: { readonly hasProgramEnded: boolean }): Promise<void> {
    this.pause();
    await this.#lastInput;
    const answered = new Promise<void>((resolve) => {
      this.#onAnswer = resolve;
    });
    this.#parts.monitor()?.collectUnread({ closesTerminal: hasProgramEnded });
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS).unref())]);
    this.#unread.push(...this.#waiting.splice(0));
  }

  /**
   * Must be called with the monitor's answer to `collectUnread`. These keys come first, since they had reached the pseudo-terminal
   * before this process read any others.
   */
  addUnread(keys: Uint8Array): void {
    this.#unread.unshift(keys);
    this.#onAnswer?.();
  }

  /** Types the keys that the program has not read into the real terminal. */
  giveBack(): void {
    const { addon, userTerminal } = this.#parts;
    for (const keys of this.#unread.splice(0)) addon.typeInto(userTerminal, keys);
  }

  async #receive(keys: Uint8Array): Promise<void> {
    this.#waiting.push(keys);
    // A SIGCONT that came before the key continues the program. Then the key must wait for that.
    await deliverSignals();
    await this.#typeWaiting();
  }

  async #typeWaiting(): Promise<void> {
    if (this.#isOn || this.#parts.hasProgramEnded()) {
      for (const keys of this.#waiting.splice(0)) await this.#type(keys);
    }
    if (this.#isOn && !this.#isClosed) this.#keyboard.resume();
  }

  /** Types keys into the pseudo-terminal. Keeps them for `giveBack` if the program has ended. */
  async #type(keys: Uint8Array): Promise<void> {
    const { master, expectSignal, hasProgramEnded } = this.#parts;
    if (hasProgramEnded()) return void this.#unread.push(keys);
    // The signals depend on the modes of the terminal, which the program may change as soon as it gets the keys.
    const signals = this.#signalsOf(keys);
    if (!this.#isClosed) await writeAll(master, keys);
    // The pseudo-terminal sends these signals to the program only. The real terminal would have sent them to the whole job.
    for (const signal of signals) {
      expectSignal(signal);
      send(0, signal);
    }
  }

  /** Returns the signals that a terminal sends for keys, such as SIGINT for Ctrl-C, one for each such key. */
  #signalsOf(keys: Uint8Array): readonly NodeJS.Signals[] {
    const { addon, master, monitor } = this.#parts;
    // If the program has put another process group into the foreground, as a shell does, a terminal signals only that group.
    if (addon.foregroundGroup(master) !== monitor()?.pid) return [];
    const [interruptKey, quitKey] = addon.modesOf(master);
    const signalsFor = (key: number, signal: NodeJS.Signals): NodeJS.Signals[] =>
      Array.from(keys)
        .filter((byte) => byte === key)
        .map(() => signal);
    return [...signalsFor(interruptKey, "SIGINT"), ...signalsFor(quitKey, "SIGQUIT")];
  }
}
