import { spawn } from "node:child_process";

/** A command as a user types it: variables for it alone, then its words. */
export interface Command {
  readonly variables?: Readonly<Record<string, string>>;
  readonly words: readonly [string, ...string[]];
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  readonly cwd: string;
  /** The whole environment, to which the command adds its own variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The line that does in a shell what {@link run} does. */
export function commandLine({ variables = {}, words }: Command): string {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
  return [...assignments, ...words.map(quoted)].join(" ");
}

/** A signal for a command, once it has written something. */
export interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly after: RegExp;
}

/** Runs a command to its end, without a shell: what it ends with is its own. */
export function run(
  { variables = {}, words: [file, ...args] }: Command,
  place: Place,
  interruption?: Interruption,
): Promise<Ended> {
  const child = spawn(file, args, {
    cwd: place.cwd,
    env: { ...place.environment, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      const before = output[name];
      output[name] += text;
      if (interruption === undefined || interruption.after.test(before)) return;
      if (interruption.after.test(output[name])) child.kill(interruption.signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...output }));
  });
}

/** How a command ended, in words. */
export function ending({ status, signal }: Pick<Ended, "status" | "signal">): string {
  return signal === null ? `exit status ${status}` : `killed by ${signal}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
