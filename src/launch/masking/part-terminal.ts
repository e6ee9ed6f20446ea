/**
 * The terminal of a program of which only some standard streams are a terminal (`program | cat`, `… | less`).
 *
 * The program stays in this process's group and session, and writes to a pseudo-terminal that is not its controlling terminal. So the
 * real terminal sends the signals of keys to the group as usual. Two things must be copied:
 *
 * - Settings. Programs such as `dialog` change the settings of their output. This process copies them to the real terminal.
 * - Keys. If its standard input is a pipe, a program such as less or vim reads single keys from its output. This process copies them
 *   from the real terminal to the pseudo-terminal.
 */
import { AS_GIVEN, OUTPUT_AS_BEFORE } from "../../../native/shared.ts";
import { ignoresSignal, readProcessStat } from "../proc/process-stat.ts";
import { signalNumber } from "../signals.ts";
import type { TerminalSignals } from "../spawn/forward-signals.ts";
import { isStoppedByAccess, stopsWriters } from "./background.ts";
import { closeQuietly, writeAll } from "./io.ts";
import { openKeyboard, type Keyboard } from "./keyboard.ts";
import type { TerminalPair } from "./masking-system.ts";

/** The pause between an output and the second comparison of settings. Programs also change them after they write. */
const SETTINGS_DELAY_MS = 50;
/** The polling interval in the background, since a shell may put the job into the foreground without a signal. */
const POLL_MS = 200;

/** Begins to copy settings and keys, until `close` or `end` is called. */
export function openPartTerminal({ addon, watcher, real, master, sync }: TerminalPair) {
  const { isatty } = process.getBuiltinModule("node:tty");
  const hasInput = isatty(0);
  const group = readProcessStat("self")?.group ?? -1;
  const isInFront = (): boolean => addon.foregroundGroup(real) === group;
  /** The settings of the pseudo-terminal at the start, and those that were copied last, as text. */
  const initialSettings = textOf(addon.settingsOf(master));
  let copiedSettings = initialSettings;
  /** The settings of the real terminal before the program changed them. */
  let formerSettings: Uint8Array | undefined;
  let copyTimer: NodeJS.Timeout | undefined;
  let keyboard: Keyboard | undefined;
  let isClosed = false;

  const type = async (keys: Uint8Array): Promise<void> => {
    if (!isClosed) await writeAll(master, keys);
    if (!isClosed && copiedSettings !== initialSettings && isInFront()) keyboard?.resume();
  };
  const copySettings = (): void => {
    const settings = isClosed ? undefined : addon.settingsOf(master);
    if (settings === undefined || textOf(settings) === copiedSettings) return;
    if (!isInFront()) return copyLater(POLL_MS);
    copiedSettings = textOf(settings);
    if (copiedSettings === initialSettings) return restore();
    formerSettings ??= addon.settingsOf(real);
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
      if (isIgnored) addon.ignoreSigttou();
      return isIgnored || isStoppedByAccess(signal, isInFront);
    },
    settled: async () => {
      if (isClosed || isInFront() || !stopsWriters(addon, real)) await sync();
      copySettings();
      keyboard?.pause();
    },
    continued: () => {
      // A shell has changed the settings of the real terminal meanwhile.
      if (copiedSettings !== initialSettings) copiedSettings = "";
      copySettings();
    },
  };
  return {
    signals,
    /** Must be called after each output of the program. */
    wrote: (): void => {
      copySettings();
      copyLater(SETTINGS_DELAY_MS);
    },
    /** Ends, when the program has ended. Settings stay if the program has made them on purpose: it was not killed. */
    end: (wasKilled: boolean): void => {
      copySettings();
      if (wasKilled && copiedSettings !== initialSettings && isInFront()) restore();
      close();
    },
    close,
  };

  function close(): void {
    clearTimeout(copyTimer);
    keyboard?.close();
    if (!isClosed) for (const descriptor of [master, real]) closeQuietly(descriptor);
    isClosed = true;
  }

  function copyLater(milliseconds: number): void {
    clearTimeout(copyTimer);
    copyTimer = setTimeout(copySettings, milliseconds).unref();
  }

  function restore(): void {
    keyboard?.pause();
    if (formerSettings !== undefined) addon.applySettings(real, formerSettings, AS_GIVEN);
    formerSettings = undefined;
  }
}

/** Returns settings as text, which is easy to compare. */
function textOf(settings: Uint8Array | undefined): string {
  return settings === undefined ? "" : Buffer.from(settings).toString("latin1");
}
