/**
 * Runs scripts of bash in which sophia-run masks the output of programs. All processes of a script are killed after its
 * test.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { folder, sophiaRun } from "../../helpers/sophia.ts";

/** The value of QUIET_TOKEN, which is the only secret in these tests. */
export const SECRET = "hush-9f8e7d6c-hush";

const CONTRACT = JSON.stringify({
  variables: { QUIET_TOKEN: { secret: true, required: true }, PLAIN: { secret: false } },
});

/** A running bash, in which `$L` is sophia-run with `--redact`, and all that it writes. */
export interface MaskedProcess {
  readonly child: ChildProcess;
  readonly cwd: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when what was written to a stream matches. */
  readonly waitForOutput: (pattern: RegExp, stream?: "stdout" | "stderr") => Promise<void>;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
}

/**
 * Starts bash with a script, in a folder whose contract declares one secret, `$QUIET_TOKEN`. In the script `$L COMMAND` runs a
 * command by sophia-run with `--redact`, and `$RUN` is sophia-run without options.
 */
export function startBash(script: string, env: Readonly<Record<string, string>> = {}): MaskedProcess {
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
      // No process of the group is left.
    }
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("latin1").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
  return {
    child,
    cwd,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    waitForOutput: async (pattern, stream = "stdout") => {
      while (!pattern.test(output[stream])) {
        if (child[stream].readableEnded) throw new Error(`never seen: ${String(pattern)} in ${output[stream]}`);
        await Promise.race([once(child[stream], "data"), once(child[stream], "end")]);
      }
    },
    ended,
  };
}

/** Runs a script as {@link startBash} does, without input, and waits for its end. */
export async function runBash(
  script: string,
  env?: Readonly<Record<string, string>>,
): Promise<{ status: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string; cwd: string }> {
  const maskedProcess = startBash(script, env);
  maskedProcess.child.stdin?.end();
  const end = await maskedProcess.ended;
  return { ...end, stdout: maskedProcess.stdout(), stderr: maskedProcess.stderr(), cwd: maskedProcess.cwd };
}
