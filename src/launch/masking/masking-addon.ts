/**
 * Types and loads the addon for masking (native/masking/masking-addon.c): system calls that Node.js lacks, and the compiled search for
 * secrets.
 */
import type { CompiledSearch } from "../../masking/masking-model.ts";
import { openAddon } from "../../system/addon/addon.ts";

/** The functions of the addon, which exists only for Linux. An error is an errno, a positive number. */
export interface MaskingAddon extends CompiledSearch {
  /** Makes a close-on-exec pipe (pipe2(2)). @returns its end for reading, which is non-blocking, and its end for writing; or an error */
  readonly makePipe: () => readonly [number, number] | number;
  /** Closes a descriptor. @returns the number of unread bytes in a pipe */
  readonly closeReading: (descriptor: number) => number;
  /** Duplicates a descriptor. @returns the copy, close-on-exec and 3 or higher; or a negated errno */
  readonly duplicate: (descriptor: number) => number;
  /** Starts a thread that keeps the event loop alive (native/masking/watch.inc). @returns 0 or an error */
  readonly startWatching: (onEvent: (descriptor: number) => void) => number;
  /** Waits for one event. @param event one of native/shared.ts, such as UNTIL_READABLE */
  readonly watch: (descriptor: number, event: number) => void;
  /** Returns 1 if two descriptors of a regular file are one open file, with one offset; otherwise 0. */
  readonly isSameOpenFile: (descriptor: number, otherDescriptor: number) => number;
  /**
   * Opens a close-on-exec pseudo-terminal.
   *
   * @param terminal the terminal whose settings it gets
   * @param isPlain 1 if the pseudo-terminal must not convert `\n` to `\r\n`, since the given terminal does so
   * @returns the master, which is non-blocking, and the slave; or an error
   */
  readonly makeTerminal: (terminal: number, isPlain: number) => readonly [number, number] | number;
  /** Copies the size of a terminal to another. @returns 1 if the size was different: then the kernel has sent SIGWINCH; otherwise 0 */
  readonly copySize: (source: number, target: number) => number;
  /** Returns the kernel's struct termios; undefined if the descriptor is no terminal, or the terminal has hung up. */
  readonly settingsOf: (terminal: number) => Uint8Array | undefined;
  /** Sets the settings of a terminal. @param change a change of native/shared.ts that is made in the settings before, such as RAW */
  readonly applySettings: (terminal: number, settings: Uint8Array, change: 0 | 1 | 2 | 3) => void;
  /**
   * Returns the bytes of the keys that send SIGINT and SIGQUIT (-1: none); 1 if a program can read single keys, not only lines; and 1 if
   * writers in the background are stopped (`stty tostop`).
   */
  readonly modesOf: (
    terminal: number,
  ) => readonly [interruptKey: number, quitKey: number, readsSingleKeys: number, stopsBackground: number];
  /** Ignores SIGTTOU, so that this process may write to the terminal from the background. */
  readonly ignoreSigttou: () => void;
  /** Returns the process group in the foreground (tcgetpgrp(3)); -1 if the terminal is not this process's controlling terminal. */
  readonly foregroundGroup: (terminal: number) => number;
  /** Puts a process group into the foreground (tcsetpgrp(3)), also from the background. */
  readonly takeForeground: (terminal: number, group: number) => void;
  /**
   * Starts the program as a child of a monitor (native/masking/monitor.inc).
   *
   * @param strings the program's arguments and variables (program/program-strings.ts)
   * @param slave the program's side of its pseudo-terminal
   * @param formerSettings the settings that the monitor restores on the terminal `userTerminal` if this process ends without `dismissMonitor`
   * @param inherited the descriptors that the program inherits besides the standard streams
   * @returns the socket to the monitor, and the monitor's PID; or an error
   */
  readonly startMonitor: (
    strings: Uint8Array,
    argumentCount: number,
    slave: number,
    userTerminal: number,
    formerSettings: Uint8Array,
    isForeground: number,
    inherited: Int32Array,
  ) => readonly [channel: number, monitorPid: number] | number;
  /** Ends the monitor, so that it does not restore the settings. Waits for its end, for 100 ms at most. */
  readonly dismissMonitor: (channel: number, monitorPid: number) => void;
  /** Puts bytes into a terminal as if they were typed, if the system allows that. */
  readonly typeInto: (terminal: number, bytes: Uint8Array) => void;
}

/** Loads the addon. Returns undefined if it does not exist for this system. */
export function loadMaskingAddon(): MaskingAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines these, and is built with this file
  return openAddon("-masking") as MaskingAddon | undefined;
}
