/** Runs commands of the demo as a user types them. The demo, its tests and the animated picture use this file. */
import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";

/** A command as a user types it: its variables, then its words. */
export interface Command {
  readonly variables?: Readonly<Record<string, string>>;
  readonly words: readonly [string, ...string[]];
}

export interface ProcessResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandSetting {
  readonly cwd: string;
  /** The whole environment, to which the command adds its own variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The PATH of the demo's commands: sophia-run of this checkout, and this Node.js, before all else. */
export const DEMO_PATH = [
  join(import.meta.dirname, "../../bin"),
  dirname(process.execPath),
  process.env["PATH"] ?? "",
].join(delimiter);

/** Returns the shell line for {@link run}. */
export function commandLine({ variables = {}, words }: Command): string {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
  return [...assignments, ...words.map(quoted)].join(" ");
}

/** A signal for a command after its first output. */
export interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly after: RegExp;
}

/** Runs a command to its end, without a shell. */
export function run(
  { variables = {}, words: [file, ...args] }: Command,
  place: CommandSetting,
  interruption?: Interruption,
): Promise<ProcessResult> {
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

/** Describes a command's end. */
export function ending({ status, signal }: Pick<ProcessResult, "status" | "signal">): string {
  return signal === null ? `exit status ${status}` : `killed by ${signal}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
