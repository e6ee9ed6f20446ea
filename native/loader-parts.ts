/** The surroundings of the bundle in both forms. */
import type { SecureContext } from "node:tls";
import type { Addon } from "./system.ts";

/** The state in which the caller started this process. */
interface Caller {
  readonly ignored: readonly number[];
  readonly streams: readonly number[];
  readonly descriptors: readonly number[];
}

/** Values that a loader hands to the bundle: src/loader.ts in Node.js, runtime/host.ts in an executable for Linux. */
export interface Loader {
  readonly addon: Addon | undefined;
  /** Returns true if this start has compiled code that is not cached. */
  readonly hasCodeToCache: () => boolean;
  /** Caches the code that V8 has compiled in this start; throws nothing. */
  readonly cacheCode: () => void;
  /** The state in which the caller started this process; undefined in Node.js, which changes it. */
  readonly caller?: Caller;
  /** The variables of the caller's IPC channel, which an executable for Linux leaves to the program. Node.js takes it itself. */
  readonly channel?: ReadonlyMap<string, string> | undefined;
  /** Calls the function once the process starts: an executable for Linux loads the bundle before that. */
  readonly onStart?: (boot: () => void) => void;
  /** Returns a context that trusts the runtime's own certificates and those of PEM texts; undefined in Node.js. */
  readonly contextTrusting?: (texts: readonly string[]) => SecureContext;
  /**
   * Sets the processor time (ms) for which JavaScript may compute until it waits; 0 ends the limit for good. At its end an
   * executable for Linux ends with 125. Undefined in Node.js, where nothing interrupts JavaScript.
   */
  readonly limitTurns?: (milliseconds: number) => void;
  /** Replaces `nativeFile` of system/addon/ in an executable. */
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
