import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { TaskOptions, Results, Task } from "./tasks.mts";

/** A process that answers a line of JSON with another one. */
export interface Answering {
  readonly pid: number;
  readonly next: () => Promise<unknown>;
  readonly write: (value: unknown) => void;
  /** Ends its input, and resolves when the process has ended. */
  readonly end: () => Promise<void>;
}

/** The program that sends the requests, behind a launcher or without one. */
export interface Side {
  /** The process of the launcher, or of the program itself. */
  readonly pid: number;
  readonly perform: <Name extends keyof TaskOptions>(name: Name, asked: TaskOptions[Name]) => Promise<Results[Name]>;
  readonly end: () => Promise<void>;
}

/** A process that answers later than this is ended. */
const ANSWER_MS = 300_000;
const END_MS = 10_000;

export function start(argv: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Answering {
  const [command = "", ...words] = argv;
  const child = spawn(command, words, { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on("error", () => {});
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    next: async () => {
      const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS);
      const { value, done } = await lines.next();
      clearTimeout(timer);
      if (done === true) throw new Error(`${argv.join(" ")} has ended\n${errors}`);
      return JSON.parse(value);
    },
    write: (value) => child.stdin.write(`${JSON.stringify(value)}\n`),
    end: async () => {
      const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
      child.stdin.end();
      await closed;
      clearTimeout(timer);
    },
  };
}

export function startSide(...parameters: Parameters<typeof start>): Side {
  const { pid, next, write, end } = start(...parameters);
  return {
    pid,
    perform: async <Name extends keyof TaskOptions>(name: Name, asked: TaskOptions[Name]) => {
      const task: Task<Name> = { ...asked, name };
      write(task);
      // Sound: client.mts answers a task so.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      return (await next()) as Results[Name];
    },
    end,
  };
}

/** MB of resident memory: now, and the most since {@link forgetPeak}. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { resident: of("VmRSS"), peak: of("VmHWM") };
}

/** Processor time of all threads in µs, from ticks of 10 ms (proc_pid_stat(5)). */
export function processorTimeOf(pid: number): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) (?!.*\) )/s);
  const [user = 0, system = 0] = fields.split(" ").slice(11, 13).map(Number);
  return (user + system) * 10_000;
}

/** Begins with the present memory again (proc_pid_clear_refs(5)). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
