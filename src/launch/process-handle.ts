/** What node:child_process starts a process with, as it is in Node.js 20. */
export interface ProcessHandle {
  readonly pid: number;
  /** Called once the process is reaped; the signal is empty if it exited. */
  onexit: (status: number, signal: NodeJS.Signals | "") => void;
  /** @returns 0, or the system's error number, negative */
  readonly spawn: (options: {
    readonly file: string;
    readonly args: readonly string[];
    readonly envPairs: readonly string[];
    readonly stdio: readonly ({ readonly type: "fd"; readonly fd: number } | { readonly type: "ignore" })[];
  }) => number;
  readonly close: () => void;
}

/**
 * Node.js 20 cannot become the program, and loading node:child_process, with the streams and sockets that it brings,
 * takes a third of what a launch costs there. What lies beneath is out of bounds as a rule, since each version may
 * change it. Of this one the last is out (April 2026): what it has will stay as it is.
 *
 * @returns undefined with any other version, and where it is not to be had
 */
export function processHandle(): (new () => ProcessHandle) | undefined {
  if (!process.version.startsWith("v20.") || process.platform === "win32") return undefined;
  const { noDeprecation } = process;
  // With --pending-deprecation there would be a warning on stderr.
  process.noDeprecation = true;
  try {
    // Sound for this version, see above.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- not among Node's types
    const { binding } = process as unknown as { binding: (name: string) => { Process: new () => ProcessHandle } };
    return binding("process_wrap").Process;
  } catch {
    return undefined; // --experimental-permission
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
