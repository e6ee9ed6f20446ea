import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "vitest";
import { folder, isStandalone, sophiaRun } from "../helpers/sophia.ts";

const [command, ...prefix] = sophiaRun;
const launcherArguments = [...prefix, "--no-contract"];

/** Returns an environment in which NODE_OPTIONS preloads the code. */
function environmentWithPreload(code: string): { readonly PATH: string; readonly NODE_OPTIONS: string } {
  const file = join(folder({ "preload.cjs": code }), "preload.cjs");
  return { PATH: process.env["PATH"] ?? "", NODE_OPTIONS: `--require=${file}` };
}

const modes = ["auto", "spawn"] as const;

describe.each(modes)("in mode %s, after code has been preloaded", (mode) => {
  beforeEach(({ skip }) => skip(isStandalone, "NODE_OPTIONS has no effect on the stand-alone executable"));

  test("that has used a stream, the program's own writes still block", async () => {
    const child = spawn(command, [...launcherArguments, "--mode", mode, "--", "seq", "300000"], {
      cwd: folder(),
      env: environmentWithPreload('console.log("-");'),
      stdio: ["ignore", "pipe", "pipe"],
    });
    // The pipe is full, and the program blocks in write(2) until the test reads.
    const errors = text(child.stderr);
    await once(child.stdout, "readable");
    const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
    expect(await errors).toBe("");
    expect(output.split("\n").length).toBe(300_002);
    expect(child.exitCode).toBe(0);
  });

  test.each([[[]], [["--no-addons"]]])("that samples for a profile, SIGPROF does not kill the program %j", (more) => {
    const env = { PATH: process.env["PATH"] };
    const cwd = folder();
    const options = [...more, "--cpu-prof", `--cpu-prof-dir=${cwd}`, "--cpu-prof-interval=100"];
    for (let round = 0; round < 10; round++) {
      const args = [...options, ...launcherArguments, "--mode", mode, "--", "true"];
      const { status, signal, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
    }
  });
});
