/** Runs commands as PID 1 of a PID namespace, as container runtimes do, and reads Dockerfiles. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type StartedProcess, startProcess, type StartOptions } from "./start-process.ts";

const NAMESPACES = ["--pid", "--fork", "--mount-proc", "--kill-child"] as const;

/** The command prefix that makes a command PID 1 of a namespace of its own; or the reason why this machine does not allow it. */
export type Isolation = { readonly prefix: readonly [string, ...string[]] } | { readonly reason: string };

/** Finds the prefix: first without, then with a user namespace, which users without rights may create. */
export function findIsolation(): Isolation {
  const reasons: string[] = [];
  for (const user of [[], ["--user", "--map-root-user"]]) {
    const prefix = ["unshare", ...user, ...NAMESPACES] as const;
    const [file, ...args] = prefix;
    const { status, stderr, error } = spawnSync(file, [...args, "true"], { encoding: "utf8" });
    if (status === 0) return { prefix };
    reasons.push(error?.message ?? stderr.trim());
  }
  return { reason: reasons.join("; ") };
}

/** A running container. */
export interface Container extends StartedProcess {
  /** Returns the process ID that PID 1 of the container has outside. @throws Error if the container has ended */
  init(): number;
}

/** Starts a command as PID 1. When it ends, the kernel ends all other processes of the container. */
export function startContainer(
  prefix: readonly [string, ...string[]],
  command: readonly string[],
  options: StartOptions,
): Container {
  const started = startProcess([...prefix, ...command], options);
  return {
    ...started,
    init() {
      const { pid } = started;
      const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
      if (child === undefined || child === "") throw new Error("the container has ended");
      return Number(child);
    },
  };
}

/** Returns the instructions of a Dockerfile without comments. Each is one line: continuation lines are joined. */
export function parseInstructions(dockerfile: string): readonly string[] {
  return dockerfile
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\s*\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
