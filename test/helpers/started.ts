import { spawn } from "node:child_process";
import { onTestFinished } from "vitest";

/** Shell: waits until the monitor has taken the place of the launcher's runtime, for which the program does not wait. */
export const REPLACED =
  "n=0; until grep -qx sophia-run /proc/$PPID/comm; do n=$((n + 1)); [ $n -lt 20000 ] || exit 1; done";

/** How a process ended, and all that it wrote. */
export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs, with what it writes. */
export interface Started {
  readonly pid: number;
  /** The next match in what it writes to the standard output, from the start; rejects when it ends without one. */
  readonly seen: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** The same for the standard error. */
  readonly reported: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly finished: Promise<Finished>;
}

export interface StartOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts a process in a session of its own, so that no signal of the test runner's terminal reaches it. Whatever is
 * left of its process group is killed when the test ends.
 */
export function start([file, ...args]: readonly [string, ...string[]], { cwd, env }: StartOptions): Started {
  const child = spawn(file, args, { cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const output = { stdout: "", stderr: "" };
  const readers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const read of readers) read();
    });
  }
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...output }));
  });
  // A start error is reported to whoever waits for the end, and must not count as unhandled until then.
  finished.catch(() => {});
  const { pid } = child;
  if (pid === undefined) {
    const never = (): Promise<never> => finished.then(() => Promise.reject());
    return { pid: Number.NaN, seen: never, reported: never, finished };
  }
  onTestFinished(() => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing is left of it.
    }
  });
  const seenOn =
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
  return { pid, seen: seenOn("stdout"), reported: seenOn("stderr"), finished };
}

/** Whether a process is there; a zombie counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}
