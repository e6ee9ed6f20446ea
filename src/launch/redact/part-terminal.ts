import { AS_GIVEN, OUTPUT_AS_BEFORE } from "../../system/shared.ts";
import { ignoresSignal, readProcessStat } from "../proc/process-stat.ts";
import { signalNumber } from "../signals.ts";
import type { TerminalSignals } from "../spawn/forward.ts";
import { isStoppedByAccess, stopsWriters } from "./background.ts";
import { openKeyboard, type Keyboard } from "./keyboard.ts";
import { writeAll } from "./sink.ts";
import { closeQuietly } from "./source.ts";
import type { Terminal } from "./system.ts";

/** The pause after an output before settings are compared again: programs change them behind what they write, too. */
const LATER_MS = 50;
/** The polling interval in the background: a shell may put the job into the foreground without a signal. */
const LOOK_MS = 200;

/**
 * Opens the terminal if only some of the program's streams are it: the program stays in this process's group and session.
 * The pseudo-terminal is not the controlling one: keys act on the group by the real one. That gets the settings that a
 * program makes (`dialog`, curses), and a program that wants each key from its output, as less and vim do where their
 * standard input is a pipe, gets the keys.
 */
export function openPartTerminal({ addon, watcher, real, master, settle }: Terminal) {
  const { isatty } = process.getBuiltinModule("node:tty");
  const hasInput = isatty(0);
  const group = readProcessStat("self")?.group ?? -1;
  const isInFront = (): boolean => addon.foregroundGroup(real) === group;
  const first = textOf(addon.settingsOf(master));
  let found: Uint8Array | undefined;
  let last = first;
  let later: NodeJS.Timeout | undefined;
  let keyboard: Keyboard | undefined;
  let isClosed = false;

  const type = async (keys: Uint8Array): Promise<void> => {
    if (!isClosed) await writeAll(master, keys);
    if (!isClosed && last !== first && isInFront()) keyboard?.resume();
  };
  const follow = (): void => {
    const settings = isClosed ? undefined : addon.settingsOf(master);
    if (settings === undefined || textOf(settings) === last) return;
    if (!isInFront()) return followIn(LOOK_MS);
    last = textOf(settings);
    if (last === first) return putBack();
    found ??= addon.settingsOf(real);
    addon.applySettings(real, settings, OUTPUT_AS_BEFORE);
    const [, , isByKey] = addon.modesOf(master);
    if (hasInput || isByKey === 0) return keyboard?.pause();
    keyboard ??= openKeyboard(addon.duplicate(real), watcher, (keys) => void type(keys), close);
    keyboard.resume();
  };
  const signals: TerminalSignals = {
    resized: () => void (isClosed || addon.copySize(real, master)),
    isAccess: (signal, program) => {
      const isIgnored = program !== undefined && !isInFront() && ignoresSignal(program, signalNumber(signal));
      if (isIgnored) addon.ignoreAccess();
      return isIgnored || isStoppedByAccess(signal, isInFront);
    },
    settled: async () => {
      if (isClosed || isInFront() || !stopsWriters(addon, real)) await settle();
      follow();
      keyboard?.pause();
    },
    continued: () => {
      // A shell has set its own meanwhile.
      if (last !== first) last = "";
      follow();
    },
  };
  return {
    signals,
    /** The program has written. */
    looked: (): void => {
      follow();
      followIn(LATER_MS);
    },
    /** The program has ended. @param wasKilled the settings from before come back */
    end: (wasKilled: boolean): void => {
      follow();
      if (wasKilled && last !== first && isInFront()) putBack();
      close();
    },
    close,
  };

  function close(): void {
    clearTimeout(later);
    keyboard?.close();
    if (!isClosed) for (const descriptor of [master, real]) closeQuietly(descriptor);
    isClosed = true;
  }

  function followIn(milliseconds: number): void {
    clearTimeout(later);
    later = setTimeout(follow, milliseconds).unref();
  }

  function putBack(): void {
    keyboard?.pause();
    if (found !== undefined) addon.applySettings(real, found, AS_GIVEN);
    found = undefined;
  }
}

function textOf(settings: Uint8Array | undefined): string {
  return settings === undefined ? "" : Buffer.from(settings).toString("latin1");
}
