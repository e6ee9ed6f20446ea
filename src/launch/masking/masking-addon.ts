import type { CompiledSearch } from "../../masking/masking-model.ts";
import { openAddon } from "../../system/addon/addon.ts";

/** System calls for masking, by native/masking/masking-addon.c (Linux). Errors are the system's numbers. */
export interface MaskingAddon extends CompiledSearch {
  /** pipe2(2), close-on-exec. @returns the ends for reading, which is non-blocking, and for writing; or an error */
  readonly makePipe: () => readonly [number, number] | number;
  /** Closes a descriptor. @returns the number of unread bytes in a pipe */
  readonly closeReading: (descriptor: number) => number;
  /** Duplicates a descriptor, from 3 on, close-on-exec. @returns the copy, or the negative number of an error */
  readonly duplicate: (descriptor: number) => number;
  /** Starts a thread that keeps the event loop alive (native/masking/watch.inc). @returns 0 or an error */
  readonly startWatching: (onEvent: (descriptor: number) => void) => number;
  /** Waits for one event. @param event UNTIL_READABLE and so on of native/shared.ts */
  readonly watch: (descriptor: number, event: number) => void;
  /** Returns 1 if two descriptors of a regular file are one open file, with one offset; or 0. */
  readonly isSameOpenFile: (one: number, other: number) => number;
  /**
   * Opens a pseudo-terminal like another, close-on-exec. Returns the master, which is non-blocking, and the slave; or an error.
   *
   * @param isPlain 1: the other terminal turns newlines into line ends
   */
  readonly makeTerminal: (like: number, isPlain: number) => readonly [number, number] | number;
  /** Gives a terminal the size of another. @returns 1 if its size was different: the kernel has sent SIGWINCH then */
  readonly copySize: (from: number, to: number) => number;
  /** Returns the kernel's struct termios; undefined if it is no terminal, or is gone. */
  readonly settingsOf: (terminal: number) => Uint8Array | undefined;
  /** @param how AS_GIVEN and so on of native/shared.ts */
  readonly applySettings: (terminal: number, settings: Uint8Array, how: 0 | 1 | 2 | 3) => void;
  /** Returns the keys of signals (-1: none), 1 if each key is read by itself, 1 if background writers are stopped. */
  readonly modesOf: (
    terminal: number,
  ) => readonly [interrupt: number, quit: number, isByKey: number, stopsBackground: number];
  /** Ignores SIGTTOU: this process may write to the terminal from the background from now on. */
  readonly ignoreSigttou: () => void;
  /** tcgetpgrp(3); -1 if the terminal is not the controlling one. */
  readonly foregroundGroup: (terminal: number) => number;
  /** tcsetpgrp(3), which is not stopped in the background. */
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
  readonly dismissMonitor: (channel: number, monitor: number) => void;
  /** Puts bytes into a terminal as if they were typed, if the system allows that. */
  readonly typeInto: (terminal: number, bytes: Uint8Array) => void;
}

export function loadMaskingAddon(): MaskingAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines these, and is built with this file
  return openAddon("-masking") as MaskingAddon | undefined;
}
