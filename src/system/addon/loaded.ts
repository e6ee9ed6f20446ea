import type { Addon } from "./libc.ts";

/** What loader.ts hands to the bundle. */
export interface Loader {
  /** Loaded already, where there is one. */
  readonly addon: Addon | undefined;
  /** True if this start compiles what it runs, so that it has something to keep. */
  readonly compiles: () => boolean;
  /** Keeps for later starts what V8 has compiled in this one, if that is not kept yet; throws nothing. */
  readonly keepCode: () => void;
  /** True if nothing has been opened, caught or ignored in this process since the caller started it. */
  readonly isUntouched: boolean;
}

/** A file of the bundle as a function, as a loader calls it. */
export type BundleFile = (
  exports: object,
  require: (name: string) => unknown,
  folder: string,
  file: string,
  loader: Loader,
) => void;

/** The loader's parameter of this name is around the bundle. */
declare const SOPHIA_RUN_LOADER: Loader | undefined;

/** Absent in sources that run as they are and in a stand-alone executable. */
export const loader: Loader | undefined = typeof SOPHIA_RUN_LOADER === "undefined" ? undefined : SOPHIA_RUN_LOADER;
