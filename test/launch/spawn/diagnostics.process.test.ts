import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { addon, folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";

beforeEach(({ skip }) => skip(isStandalone, "Node's variables have no effect on the stand-alone executable"));

const noAddon = existsSync(addon) ? undefined : "needs the addon, by which the launcher ends";
const [command, ...prefix] = sophiaRun;
const launcherArguments = [...prefix, "--no-contract", "--mode", "spawn", "--"];

/**
 * Runs a script in spawn mode, and returns what the run leaves besides the script's output: stderr, and files in the working
 * directory.
 */
function runAndFindTraces(
  env: NodeJS.ProcessEnv,
  script = "exit 4",
): { status: number | null; stderr: string; files: readonly string[] } {
  const cwd = folder();
  const { status, stderr } = spawnSync(command, [...launcherArguments, "sh", "-c", script], {
    cwd,
    env: { PATH: process.env["PATH"], SENTINEL: "sentinel-value-3b9d", ...env },
    encoding: "utf8",
  });
  return { status, stderr, files: readdirSync(cwd, { recursive: true }).map(String) };
}

// The program sends SIGUSR2 to the launcher, on which Node.js would write a file. The launcher forwards the signal to the program.
const signalLauncher = 'trap "exit 4" USR2; kill -USR2 "$PPID"; while :; do sleep 0.01; done';

test.each([
  ["a report on a signal", { NODE_OPTIONS: "--report-on-signal" }],
  ["a report on a signal, in another folder", { NODE_OPTIONS: "--report-on-signal --report-directory=reports" }],
  ["a heap snapshot on a signal", { NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" }],
  ["coverage", { NODE_V8_COVERAGE: "coverage" }],
])("the launcher does not write what the caller's variables make Node.js write: %s", (_, env) => {
  expect(runAndFindTraces(env, signalLauncher)).toEqual({ status: 4, stderr: "", files: [] });
});

test.for(["--heap-prof", "--cpu-prof", "--trace-event-categories=node,v8", "--trace-exit --trace-warnings"])(
  "the launcher writes nothing when it ends, with NODE_OPTIONS=%s",
  (options, { skip }) => {
    skip(noAddon !== undefined, noAddon);
    // Not every version of Node.js accepts each of these options in NODE_OPTIONS.
    skip(
      !options.split(" ").every((option) => process.allowedNodeEnvironmentFlags.has(option.replace(/=.*/, ""))),
      "not in NODE_OPTIONS",
    );
    expect(runAndFindTraces({ NODE_OPTIONS: options })).toEqual({ status: 4, stderr: "", files: [] });
  },
);

test("the launcher writes no report if it runs out of memory before the program starts", () => {
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

test.for(["--cpu-prof", "--heap-prof"])(
  "the launcher writes no profile if its own node has the option %s",
  (option, { skip }) => {
    skip(noAddon !== undefined, noAddon);
    const cwd = folder();
    const { status } = spawnSync(command, [option, ...launcherArguments, "sh", "-c", "exit 4"], { cwd });
    expect({ status, files: readdirSync(cwd) }).toEqual({ status: 4, files: [] });
  },
);

test("the launcher writes no reports and no coverage without the addon", () => {
  const cwd = folder();
  const env = {
    PATH: process.env["PATH"],
    NODE_V8_COVERAGE: join(cwd, "coverage"),
    NODE_OPTIONS: "--report-on-signal",
  };
  const { status } = spawnSync(command, ["--no-addons", ...launcherArguments, "sh", "-c", signalLauncher], {
    cwd,
    env,
  });
  expect({ status, files: readdirSync(cwd) }).toEqual({ status: 4, files: [] });
});

test.each(["auto", "spawn"])(
  "the launcher prints nothing for NODE_DEBUG, which the program gets, in mode %s",
  (mode) => {
    const env = {
      PATH: process.env["PATH"],
      SENTINEL: "sentinel-value-3b9d",
      NODE_DEBUG: "child_process,net,http,fs,timer",
    };
    const args = [...prefix, "--no-contract", "--mode", mode, "--", "sh", "-c", 'printf %s "$NODE_DEBUG"'];
    const { stdout, stderr } = spawnSync(command, args, { cwd: folder(), env, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: env.NODE_DEBUG, stderr: "" });
  },
);

test("the launcher prints nothing more for NODE_DEBUG once its code runs, and the program's streams block", () => {
  const env = { PATH: process.env["PATH"], SENTINEL: "sentinel-value-3b9d", NODE_DEBUG: "module,child_process" };
  const args = [...launcherArguments, "sh", "-c", "grep flags /proc/self/fdinfo/2"];
  const { stdout, stderr } = spawnSync(command, args, { cwd: folder(), env, encoding: "utf8" });
  expect(stdout).toMatch(/^flags:\s+0?[12]\n$/);
  expect(stderr).not.toMatch(/CHILD_PROCESS|sentinel/);
});

test("the launcher forwards a signal, and does not call the listeners of preloaded code", () => {
  const preload = join(folder({ "preload.cjs": 'process.on("SIGUSR2", () => process.exit(55));' }), "preload.cjs");
  expect(runAndFindTraces({ NODE_OPTIONS: `--require=${preload}` }, signalLauncher)).toMatchObject({ status: 4 });
});
