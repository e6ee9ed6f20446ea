/** The tasks of the measured program, and their results. Times are in ms. */

export interface TaskOptions {
  readonly latency: { readonly count: number };
  readonly rate: { readonly count: number; readonly atOnce: number };
  readonly events: { readonly count: number; readonly ms: number };
  readonly upload: { readonly bytes: number };
  readonly download: { readonly bytes: number };
  readonly abandon: { readonly count: number; readonly atOnce: number };
  /** The URL of a repository of git. */
  readonly clone: { readonly repository: string };
  /** From a folder to an empty repository. */
  readonly push: { readonly from: string; readonly repository: string };
  /** Calls of the API by gh. */
  readonly gh: { readonly count: number };
}

export interface Results {
  /** The time of each request. */
  readonly latency: readonly number[];
  /** Requests a second. */
  readonly rate: number;
  /** From the request to the first event; from the sending to the arrival of each event; how many came with another one. */
  readonly events: { readonly first: number; readonly delays: readonly number[]; readonly merged: number };
  /** From the first write to its arrival at the service; and the whole. */
  readonly upload: { readonly firstChunk: number; readonly ms: number };
  readonly download: number;
  /** Streams that were left after their first event. */
  readonly abandon: number;
  readonly clone: number;
  readonly push: number;
  /** Each. */
  readonly gh: number;
}

export type Task<Name extends keyof TaskOptions> = TaskOptions[Name] & { readonly name: Name };
