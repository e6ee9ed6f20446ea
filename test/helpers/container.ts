import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Started, start, type StartOptions } from "./started.ts";

const NAMESPACES = ["--pid", "--fork", "--mount-proc", "--kill-child"] as const;

/** What makes a command PID 1 of a namespace of its own, as a container runtime does; or why it cannot be done here. */
export type Isolation = { readonly prefix: readonly [string, ...string[]] } | { readonly reason: string };

/** Tries it as the user who runs the tests, then with a user namespace. */
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

export interface Container extends Started {
  /** PID 1 of the container, as it is called outside. To be asked for while the container runs. */
  init(): number;
}

/** Starts a command as PID 1. When it ends, the kernel ends all that is left in there. */
export function startContainer(
  prefix: readonly [string, ...string[]],
  command: readonly string[],
  options: StartOptions,
): Container {
  const started = start([...prefix, ...command], options);
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

/** The instructions of a Dockerfile, one a line, without comments. */
export function instructions(dockerfile: string): readonly string[] {
  return dockerfile
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\s*\n/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
