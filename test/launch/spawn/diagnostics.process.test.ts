import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { addon, folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";

beforeEach(({ skip }) => skip(isStandalone, "Node's variables have no effect on the stand-alone executable"));

const noAddon = existsSync(addon) ? undefined : "needs the addon, by which the launcher ends";
const [command, ...prefix] = sophiaRun;
const launcher = [...prefix, "--no-contract", "--mode", "spawn", "--"];

/** Returns the traces of a run besides the program's output: files in the working directory, and stderr. */
function traces(
  env: NodeJS.ProcessEnv,
  script = "exit 4",
): { status: number | null; stderr: string; files: readonly string[] } {
  const cwd = folder();
  const { status, stderr } = spawnSync(command, [...launcher, "sh", "-c", script], {
    cwd,
    env: { PATH: process.env["PATH"], SENTINEL: "sentinel-value-3b9d", ...env },
    encoding: "utf8",
  });
  return { status, stderr, files: readdirSync(cwd, { recursive: true }).map(String) };
}

// The program passes the signal on which Node.js would write to the launcher, and gets it back.
const signalled = 'trap "exit 4" USR2; kill -USR2 "$PPID"; while :; do sleep 0.01; done';

test.each([
  ["a report on a signal", { NODE_OPTIONS: "--report-on-signal" }],
  ["a report on a signal, in another folder", { NODE_OPTIONS: "--report-on-signal --report-directory=reports" }],
  ["a heap snapshot on a signal", { NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" }],
  ["coverage", { NODE_V8_COVERAGE: "coverage" }],
])("nothing is written of the launcher: %s", (_, env) => {
  expect(traces(env, signalled)).toEqual({ status: 4, stderr: "", files: [] });
});

test.for(["--heap-prof", "--cpu-prof", "--trace-event-categories=node,v8", "--trace-exit --trace-warnings"])(
  "nothing is written when the launcher ends: %s",
  (options, { skip }) => {
    skip(noAddon !== undefined, noAddon);
    // Not all versions take all of them there.
    skip(
      !options.split(" ").every((option) => process.allowedNodeEnvironmentFlags.has(option.replace(/=.*/, ""))),
      "not in NODE_OPTIONS",
    );
    expect(traces({ NODE_OPTIONS: options })).toEqual({ status: 4, stderr: "", files: [] });
  },
);

test("no report is written if Node.js runs out of memory before the program starts", () => {
  const variables = Object.fromEntries(
    Array.from({ length: 40_000 }, (_, index) => [`VARIABLE_${index}`, { description: "d".repeat(100) }]),
  );
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }) });
  const options = "--report-on-fatalerror --max-old-space-size=12";
  const { signal, stdout } = spawnSync(command, [...prefix, "--", "echo", "started", "an-argument"], {
    cwd,
    env: { PATH: process.env["PATH"], NODE_OPTIONS: options },
    encoding: "utf8",
  });
  expect({ signal, stdout, files: readdirSync(cwd) }).toEqual({
    signal: "SIGABRT",
    stdout: "",
    files: ["sophia.contract.json"],
  });
});

test.for(["--cpu-prof", "--heap-prof"])("nor by an option of the launcher's own node: %s", (option, { skip }) => {
  skip(noAddon !== undefined, noAddon);
  const cwd = folder();
  const { status } = spawnSync(command, [option, ...launcher, "sh", "-c", "exit 4"], { cwd });
  expect({ status, files: readdirSync(cwd) }).toEqual({ status: 4, files: [] });
});

test("no reports, snapshots and coverage are written without the addon either", () => {
  const cwd = folder();
  const env = {
    PATH: process.env["PATH"],
    NODE_V8_COVERAGE: join(cwd, "coverage"),
    NODE_OPTIONS: "--report-on-signal",
  };
  const { status } = spawnSync(command, ["--no-addons", ...launcher, "sh", "-c", signalled], { cwd, env });
  expect({ status, files: readdirSync(cwd) }).toEqual({ status: 4, files: [] });
});

test.each(["auto", "spawn"])("NODE_DEBUG prints nothing, mode %s", (mode) => {
  const env = {
    PATH: process.env["PATH"],
    SENTINEL: "sentinel-value-3b9d",
    NODE_DEBUG: "child_process,net,http,fs,timer",
  };
  const args = [...prefix, "--no-contract", "--mode", mode, "--", "sh", "-c", 'printf %s "$NODE_DEBUG"'];
  const { stdout, stderr } = spawnSync(command, args, { cwd: folder(), env, encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: env.NODE_DEBUG, stderr: "" });
});

test("if NODE_DEBUG has printed before, the rest is dropped and the program's streams block", () => {
  const env = { PATH: process.env["PATH"], SENTINEL: "sentinel-value-3b9d", NODE_DEBUG: "module,child_process" };
  const args = [...launcher, "sh", "-c", "grep flags /proc/self/fdinfo/2"];
  const { stdout, stderr } = spawnSync(command, args, { cwd: folder(), env, encoding: "utf8" });
  expect(stdout).toMatch(/^flags:\s+0?[12]\n$/);
  expect(stderr).not.toMatch(/CHILD_PROCESS|sentinel/);
});

test("preloaded code's listeners for signals do not act in the launcher", () => {
  const preload = join(folder({ "preload.cjs": 'process.on("SIGUSR2", () => process.exit(55));' }), "preload.cjs");
  expect(traces({ NODE_OPTIONS: `--require=${preload}` }, signalled)).toMatchObject({ status: 4 });
});
