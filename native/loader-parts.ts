/** The types of what a loader hands to the bundle, in both forms: Node.js, and the executable for Linux. */
import type { SecureContext } from "node:tls";
import type { Addon } from "./system.ts";

/** The state in which the caller started this process. */
interface Caller {
  /** The numbers of the signals that it ignored. */
  readonly ignored: readonly number[];
  /** The standard streams that were open: some of 0, 1 and 2. */
  readonly streams: readonly number[];
  /** The other descriptors that were open. */
  readonly descriptors: readonly number[];
}

/** Values that a loader hands to the bundle: src/loader.ts in Node.js, runtime/host.ts in an executable for Linux. */
export interface Loader {
  /** The addon of native/system.c; undefined if it cannot be loaded. */
  readonly addon: Addon | undefined;
  /** Returns true if this start has compiled code that is not cached. */
  readonly hasCodeToCache: () => boolean;
  /** Stores the code that V8 has compiled in this start, for later starts. Throws nothing. */
  readonly cacheCode: () => void;
  /** Undefined in Node.js, which changes this state before JavaScript runs. */
  readonly caller?: Caller;
  /**
   * The variables of the caller's IPC channel. An executable for Linux leaves the channel to the program; Node.js opens
   * it itself.
   */
  readonly channel?: ReadonlyMap<string, string> | undefined;
  /** Calls the function once the process starts: an executable for Linux loads the bundle before that. */
  readonly onStart?: (boot: () => void) => void;
  /** Returns a context that trusts the runtime's own certificates and those of PEM texts; undefined in Node.js. */
  readonly contextTrusting?: (texts: readonly string[]) => SecureContext;
  /**
   * Limits the processor time (ms) for which JavaScript may compute without waiting; 0 ends the limit, after which no
   * other can be set. Beyond the limit an executable for Linux exits with 125. Undefined in Node.js, where nothing can
   * interrupt JavaScript.
   */
  readonly limitTurns?: (milliseconds: number) => void;
  /** Replaces `nativeFilePath` of system/addon/ in an executable. */
  readonly nativeFile?: (name: string) => string | undefined;
  /** Replaces `openAddon` of system/addon/ in an executable. */
  readonly openAddon?: (name: string) => unknown;
}

/** A file of the bundle, as a function that a loader calls. */
export type BundleFile = (
  exports: object,
  require: (name: string) => unknown,
  folder: string,
  file: string,
  loader: Loader,
) => void;
