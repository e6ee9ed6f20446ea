import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { folder, sophiaRun } from "../../helpers/sophia.ts";

/** The one secret of these tests. */
export const SECRET = "hush-9f8e7d6c-hush";

const CONTRACT = JSON.stringify({
  variables: { QUIET_TOKEN: { secret: true, required: true }, PLAIN: { secret: false } },
});

/** A process that runs in a shell, where `$L` is sophia-run with `--redact`, and all that it writes. */
export interface Masked {
  readonly child: ChildProcess;
  readonly cwd: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when what was written to a stream matches. */
  readonly seen: (pattern: RegExp, stream?: "stdout" | "stderr") => Promise<void>;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
}

/**
 * Runs a script of bash in a folder with a contract that declares one secret. `$L` starts what follows it with `--redact`,
 * `$QUIET_TOKEN` is the secret.
 */
export function bash(script: string, env: Readonly<Record<string, string>> = {}): Masked {
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const child = spawn("bash", ["--norc", "-c", script], {
    cwd,
    detached: true,
    env: {
      PATH: process.env["PATH"],
      L: `${sophiaRun.join(" ")} --redact --`,
      RUN: sophiaRun.join(" "),
      QUIET_TOKEN: SECRET,
      ...env,
    },
  });
  onTestFinished(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nothing is left of it.
    }
  });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("latin1").on("data", (text: string) => {
      written[name] += text;
    });
  }
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
  return {
    child,
    cwd,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    seen: async (pattern, stream = "stdout") => {
      while (!pattern.test(written[stream])) {
        if (child[stream].readableEnded) throw new Error(`never seen: ${String(pattern)} in ${written[stream]}`);
        await Promise.race([once(child[stream], "data"), once(child[stream], "end")]);
      }
    },
    ended,
  };
}

/** Runs a script to its end. */
export async function outcome(
  script: string,
  env?: Readonly<Record<string, string>>,
): Promise<{ status: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string; cwd: string }> {
  const masked = bash(script, env);
  masked.child.stdin?.end();
  const end = await masked.ended;
  return { ...end, stdout: masked.stdout(), stderr: masked.stderr(), cwd: masked.cwd };
}
