/**
 * The terminal of a program whose output is masked, and of which only some standard streams are a terminal (`program | cat`,
 * `… | less`). If all are one terminal, terminal-session.ts takes the place of this file.
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

/** Copies settings and keys, until `close` or `end` is called. */
export class PartTerminal {
  /** The handlers of signals, for forward-signals.ts. */
  readonly signals: TerminalSignals = {
    resized: () => this.#copySize(),
    isAccess: (signal, program) => this.#isAccess(signal, program),
    showBeforeStop: async () => this.#showBeforeStop(),
    continued: () => this.#continue(),
  };
  readonly #pair: TerminalPair;
  readonly #isInputTerminal = process.getBuiltinModule("node:tty").isatty(0);
  /** The process group of this process, which the shell moves between foreground and background. */
  readonly #group = readProcessStat("self")?.group ?? -1;
  /** The settings of the pseudo-terminal at the start, as text. */
  readonly #initialSettings: string;
  /** The settings of the pseudo-terminal that were last copied, as text. Until the first copy, those at the start. */
  #copiedSettings: string;
  /** The settings of the real terminal before the program changed them; undefined if it has changed none. */
  #formerSettings: Uint8Array | undefined;
  #copyTimer: NodeJS.Timeout | undefined;
  /** Opened when the program first reads single keys. */
  #keyboard: Keyboard | undefined;
  #isClosed = false;

  constructor(pair: TerminalPair) {
    this.#pair = pair;
    this.#initialSettings = textOf(pair.addon.settingsOf(pair.master));
    this.#copiedSettings = this.#initialSettings;
  }

  /** Must be called after each output of the program. */
  handleOutput(): void {
    this.#copySettings();
    this.#copySettingsAfter(SETTINGS_DELAY_MS);
  }

  /** Closes this terminal at the program's end. The real terminal keeps the settings of a program that was not killed. */
  end(wasKilled: boolean): void {
    this.#copySettings();
    if (wasKilled && this.#hasChangedSettings() && this.#isForeground()) this.#restoreSettings();
    this.close();
  }

  close(): void {
    clearTimeout(this.#copyTimer);
    this.#keyboard?.close();
    if (!this.#isClosed)
      for (const descriptor of [this.#pair.master, this.#pair.userTerminal]) closeQuietly(descriptor);
    this.#isClosed = true;
  }

  #isForeground(): boolean {
    return this.#pair.addon.foregroundGroup(this.#pair.userTerminal) === this.#group;
  }

  #hasChangedSettings(): boolean {
    return this.#copiedSettings !== this.#initialSettings;
  }

  #copySize(): void {
    if (!this.#isClosed) this.#pair.addon.copySize(this.#pair.userTerminal, this.#pair.master);
  }

  /** As in {@link TerminalSignals}. A program that ignores SIGTTOU may write from the background, so this process ignores it, too. */
  #isAccess(signal: NodeJS.Signals, program: number | undefined): boolean {
    const isIgnored = program !== undefined && !this.#isForeground() && ignoresSignal(program, signalNumber(signal));
    if (isIgnored) this.#pair.addon.ignoreSigttou();
    return isIgnored || isStoppedByAccess(signal, () => this.#isForeground());
  }

  async #showBeforeStop(): Promise<void> {
    const { addon, userTerminal, showOutput } = this.#pair;
    // If the terminal stops writers in the background, the kernel would stop this process before the output is shown.
    if (this.#isClosed || this.#isForeground() || !stopsWriters(addon, userTerminal)) await showOutput();
    this.#copySettings();
    this.#keyboard?.pause();
  }

  #continue(): void {
    // A shell has changed the settings of the real terminal meanwhile, so they must be copied again.
    if (this.#hasChangedSettings()) this.#copiedSettings = "";
    this.#copySettings();
  }

  /** Copies the settings if the program has changed them, and begins or ends to copy keys. */
  #copySettings(): void {
    const { addon, watcher, userTerminal, master } = this.#pair;
    const settings = this.#isClosed ? undefined : addon.settingsOf(master);
    if (settings === undefined || textOf(settings) === this.#copiedSettings) return;
    if (!this.#isForeground()) return this.#copySettingsAfter(POLL_MS);
    this.#copiedSettings = textOf(settings);
    if (!this.#hasChangedSettings()) return this.#restoreSettings();
    this.#formerSettings ??= addon.settingsOf(userTerminal);
    addon.applySettings(userTerminal, settings, OUTPUT_AS_BEFORE);
    const [, , readsSingleKeys] = addon.modesOf(master);
    if (this.#isInputTerminal || readsSingleKeys === 0) return this.#keyboard?.pause();
    this.#keyboard ??= openKeyboard(addon.duplicate(userTerminal), watcher, {
      onKeys: (keys) => void this.#type(keys),
      onHangUp: () => this.close(),
    });
    this.#keyboard.resume();
  }

  #copySettingsAfter(ms: number): void {
    clearTimeout(this.#copyTimer);
    this.#copyTimer = setTimeout(() => this.#copySettings(), ms).unref();
  }

  #restoreSettings(): void {
    this.#keyboard?.pause();
    if (this.#formerSettings !== undefined) {
      this.#pair.addon.applySettings(this.#pair.userTerminal, this.#formerSettings, AS_GIVEN);
    }
    this.#formerSettings = undefined;
  }

  /** Types keys into the pseudo-terminal, and reads the next ones. */
  async #type(keys: Uint8Array): Promise<void> {
    if (!this.#isClosed) await writeAll(this.#pair.master, keys);
    if (!this.#isClosed && this.#hasChangedSettings() && this.#isForeground()) this.#keyboard?.resume();
  }
}

/** Returns settings as text, which is easy to compare. */
function textOf(settings: Uint8Array | undefined): string {
  return settings === undefined ? "" : Buffer.from(settings).toString("latin1");
}
