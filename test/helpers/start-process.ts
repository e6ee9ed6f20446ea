/**
 * Starts processes and waits for what they write. Tests of signals, terminals and servers use this file; helpers/sophia.ts runs
 * sophia-run to its end. The processes are killed when the test ends.
 */
import { spawn } from "node:child_process";
import { onTestFinished } from "vitest";

/** A command of the shell that waits until the monitor has replaced the launcher's runtime. The program itself starts before that. */
export const WAIT_FOR_MONITOR =
  "n=0; until grep -qx sophia-run /proc/$PPID/comm; do n=$((n + 1)); [ $n -lt 20000 ] || exit 1; done";

/** The status of a process that has ended, and all that it wrote. */
export interface ProcessResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process. */
export interface StartedProcess {
  readonly pid: number;
  /** Waits for a match in all that the process has written to the standard output. Rejects if it ends without one. */
  readonly waitForStdout: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Waits for a match in all that the process has written to the standard error. Rejects if it ends without one. */
  readonly waitForStderr: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Resolves when the process has ended and all its output was read. */
  readonly finished: Promise<ProcessResult>;
}

export interface StartOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts a process in a session of its own, so that no signal of the test runner's terminal reaches it. When the test ends, the
 * remaining processes of its process group are killed.
 */
export function startProcess(
  [file, ...args]: readonly [string, ...string[]],
  { cwd, env }: StartOptions,
): StartedProcess {
  const child = spawn(file, args, { cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const output = { stdout: "", stderr: "" };
  const readers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const read of readers) read();
    });
  }
  const finished = new Promise<ProcessResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...output }));
  });
  // The callers that wait for the end get a start error. Until then it must not count as an unhandled rejection.
  finished.catch(() => {});
  const { pid } = child;
  if (pid === undefined) {
    const never = (): Promise<never> => finished.then(() => Promise.reject());
    return { pid: Number.NaN, waitForStdout: never, waitForStderr: never, finished };
  }
  onTestFinished(() => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // All processes of the group have ended.
    }
  });
  const waitFor =
    (stream: keyof typeof output) =>
    async (pattern: RegExp): Promise<RegExpExecArray> => {
      const { promise, resolve } = deferred<RegExpExecArray>();
      const read = (): void => {
        const match = pattern.exec(output[stream]);
        if (match !== null) resolve(match);
      };
      readers.add(read);
      read();
      try {
        return await Promise.race([
          promise,
          finished.then(({ status, signal }): never => {
            const end = `${file} ended (${signal ?? status}) before it wrote ${String(pattern)}`;
            throw new Error(`${end}\n${output.stdout}${output.stderr}`);
          }),
        ]);
      } finally {
        readers.delete(read);
      }
    };
  return { pid, waitForStdout: waitFor("stdout"), waitForStderr: waitFor("stderr"), finished };
}

/** Returns true if a process exists, even as a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Returns a promise with the function that resolves it. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}
