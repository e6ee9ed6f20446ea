import type { CompiledSearch } from "../../masking/model.ts";
import { openAddon } from "../../system/addon/addon.ts";
import { isBun } from "../../system/runtime.ts";

/** System calls for masking, by `addon.c` (Linux). Errors are the system's numbers. */
export interface RedactAddon extends CompiledSearch {
  /** pipe2(2), close-on-exec. @returns the ends for reading, which is non-blocking, and for writing; or an error */
  readonly makePipe: () => readonly [number, number] | number;
  /** Another number for the same open file, from 3 on, close-on-exec. @returns the negative number of an error */
  readonly duplicate: (descriptor: number) => number;
  /**
   * Starts a thread that waits for events; see watch.h. It keeps the event loop alive for ever.
   *
   * @returns the first argument of `watch`, or the negative number of an error
   */
  readonly startWatching: (tell: (descriptor: number) => void) => number;
  /** Waits for one event. @param what UNTIL_READABLE and so on of system/shared.ts */
  readonly watch: (watching: number, descriptor: number, what: number) => void;
  /** 1 if two descriptors of a regular file are one open file, with one offset; or 0. */
  readonly isSameOpenFile: (one: number, other: number) => number;
  /**
   * Opens a pseudo-terminal with the settings of another terminal, close-on-exec; the launcher's side is non-blocking.
   *
   * @param isPlain 1: it does not turn newlines into line ends; the other terminal will
   * @returns the launcher's side and the program's, or an error
   */
  readonly makeTerminal: (like: number, isPlain: number) => readonly [number, number] | number;
  /** Gives one terminal the size of another. @returns 1 if it had another size: the kernel has sent SIGWINCH then */
  readonly copySize: (from: number, to: number) => number;
  /** The kernel's struct termios; undefined if it is no terminal, or is gone. */
  readonly settingsOf: (terminal: number) => Uint8Array | undefined;
  /** @param how AS_GIVEN and so on of system/shared.ts */
  readonly applySettings: (terminal: number, settings: Uint8Array, how: 0 | 1 | 2 | 3) => void;
  /**
   * The keys that make a terminal send SIGINT and SIGQUIT (-1: none does); 1 if it gives each key by itself instead of
   * whole lines; 1 if it stops jobs in the background that write (`stty tostop`).
   */
  readonly modesOf: (
    terminal: number,
  ) => readonly [interrupt: number, quit: number, isByKey: number, stopsBackground: number];
  /** From now on this process may write to the terminal from the background, as a process that ignores SIGTTOU may. */
  readonly ignoreAccess: () => void;
  /** The foreground process group (tcgetpgrp(3)); -1 if the terminal is not the controlling one. */
  readonly foregroundGroup: (terminal: number) => number;
  /** Puts a process group into the foreground of the controlling terminal, from the background, too (tcsetpgrp(3)). */
  readonly takeForeground: (terminal: number, group: number) => void;
  /**
   * Starts the program on a pseudo-terminal, in a session of its own, below a monitor; see monitor.h.
   *
   * @param strings the file, the arguments and the variables, each ended by a NUL
   * @param real the terminal that gets the settings `found` if this process ends without a `dismiss`
   * @param inherited descriptors that the program gets besides
   * @returns the channel to the monitor and its PID, or an error
   */
  readonly startMonitor: (
    strings: Uint8Array,
    argumentCount: number,
    slave: number,
    real: number,
    found: Uint8Array,
    isForeground: number,
    inherited: Int32Array,
  ) => readonly [number, number] | number;
  /** Tells the monitor of an ended program that all is in order, and waits a moment for its end. */
  readonly dismiss: (channel: number, pid: number) => void;
  /**
   * Sends the program, by its PID, the signals that reach this process and that Bun does not know (SIGPWR). With 0 they
   * wait for the next call, with -1 they have their default action again.
   */
  readonly passOnTo: (pid: number) => void;
  /** Puts bytes into a terminal as if they were typed, where the system allows that. */
  readonly typeInto: (terminal: number, bytes: Uint8Array) => void;
}

/** @returns undefined if there is none: see {@link openAddon} and embedded-addon.ts */
export async function loadRedactAddon(): Promise<RedactAddon | undefined> {
  const addon = isBun
    ? (await import("../standalone/embedded-addon.ts")).openEmbeddedAddon("-redact")
    : openAddon("-redact");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return addon as RedactAddon | undefined;
}
