/** The addon for masking (native/masking/masking-addon.c): system calls that Node.js lacks, and the compiled search. */
import type { CompiledSearch } from "../../masking/masking-model.ts";
import { openAddon } from "../../system/addon/addon.ts";

/** The functions of the addon. It exists only for Linux. Errors are the system's numbers. */
export interface MaskingAddon extends CompiledSearch {
  /** Makes a pipe that is close-on-exec (pipe2(2)). @returns the ends for reading, which is non-blocking, and for writing; or an error */
  readonly makePipe: () => readonly [number, number] | number;
  /** Closes a descriptor. @returns the number of unread bytes in a pipe */
  readonly closeReading: (descriptor: number) => number;
  /** Duplicates a descriptor, to a number from 3 on, close-on-exec. @returns the copy, or an error as a negative number */
  readonly duplicate: (descriptor: number) => number;
  /** Starts a thread that keeps the event loop alive (native/masking/watch.inc). @returns 0 or an error */
  readonly startWatching: (onEvent: (descriptor: number) => void) => number;
  /** Waits for one event. @param event one of native/shared.ts, such as UNTIL_READABLE */
  readonly watch: (descriptor: number, event: number) => void;
  /** Returns 1 if two descriptors of a regular file are one open file, with one offset; otherwise 0. */
  readonly isSameOpenFile: (one: number, other: number) => number;
  /**
   * Opens a pseudo-terminal with the settings of another terminal, close-on-exec.
   *
   * @param isPlain 1 if the pseudo-terminal must not turn newlines into line ends, since the other terminal does so
   * @returns the master, which is non-blocking, and the slave; or an error
   */
  readonly makeTerminal: (like: number, isPlain: number) => readonly [number, number] | number;
  /** Gives a terminal the size of another. @returns 1 if its size was different: the kernel has sent SIGWINCH then */
  readonly copySize: (from: number, to: number) => number;
  /** Returns the kernel's struct termios; undefined if the descriptor is no terminal, or the terminal has hung up. */
  readonly settingsOf: (terminal: number) => Uint8Array | undefined;
  /** Changes the settings of a terminal. @param how one of native/shared.ts, such as AS_GIVEN */
  readonly applySettings: (terminal: number, settings: Uint8Array, how: 0 | 1 | 2 | 3) => void;
  /**
   * Returns the keys that send SIGINT and SIGQUIT (-1: none); 1 if each key is read by itself; and 1 if writers in the background are
   * stopped (`stty tostop`).
   */
  readonly modesOf: (
    terminal: number,
  ) => readonly [interrupt: number, quit: number, isByKey: number, stopsBackground: number];
  /** Ignores SIGTTOU, so that this process may write to the terminal from the background. */
  readonly ignoreSigttou: () => void;
  /** Returns the process group in the foreground (tcgetpgrp(3)); -1 if the terminal is not the controlling one. */
  readonly foregroundGroup: (terminal: number) => number;
  /** Puts a process group into the foreground (tcsetpgrp(3)), also from the background. */
  readonly takeForeground: (terminal: number, group: number) => void;
  /**
   * Starts the program below a monitor (monitor.inc).
   *
   * @param formerSettings the settings to restore on `real` if this process ends without `dismissMonitor`
   */
  readonly startMonitor: (
    strings: Uint8Array,
    argumentCount: number,
    slave: number,
    real: number,
    formerSettings: Uint8Array,
    isForeground: number,
    inherited: Int32Array,
  ) => readonly [channel: number, pid: number] | number;
  /** Ends the monitor, so that it does not restore the settings. Waits for its end, for 100 ms at most. */
  readonly dismissMonitor: (channel: number, monitor: number) => void;
  /** Puts bytes into a terminal as if they were typed, if the system allows that. */
  readonly typeInto: (terminal: number, bytes: Uint8Array) => void;
}

export function loadMaskingAddon(): MaskingAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines these, and is built with this file
  return openAddon("-masking") as MaskingAddon | undefined;
}
