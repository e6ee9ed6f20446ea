import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../../src/command-line/command-line.ts";
import { createCommandHelp, createMainHelp } from "../../src/commands/help/help.ts";
import { PLAIN_LAYOUT, WIDTH } from "../../src/output/layout.ts";
import { skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { executable, noExecutable } from "../helpers/executables.ts";
import { protectionsOf, segmentsOf } from "../helpers/protections.ts";
import { startAtTerminal } from "../helpers/terminal.ts";

const root = join(import.meta.dirname, "../..");
const takeover = 'require("node:fs").writeSync(1, "taken over");';

function runExecutable(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(executable, args, {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

/**
 * What only a stand-alone executable can get wrong, once `npm run build:standalone` has made one. All else is in the other
 * tests, which run it in place of the package where SOPHIA_RUN_UNDER_TEST names it.
 */
describe("the stand-alone executable", () => {
  skipBecause(noExecutable);

  /** `BUN_…`: on macOS and Windows the executable is one of Bun. */
  it.each([
    ["BUN_BE_BUN", (): string => "1"],
    ["BUN_OPTIONS", (file: string): string => `--preload ${file}`],
    ["BUN_INSPECT_PRELOAD", (file: string): string => file],
    ["BUN_INSPECT", (): string => "ws://127.0.0.1:0/takeover"],
    ["NODE_OPTIONS", (file: string): string => `--require ${file}`],
    ["LD_PRELOAD", (file: string): string => file],
    ["NODE_DEBUG", (): string => "http,net"],
  ])("ignores %s, which reaches the program", (name, value) => {
    const cwd = folder({ "takeover.cjs": takeover });
    const env = { [name]: value(join(cwd, "takeover.cjs")) };
    const { status, stdout } = runExecutable(["--no-contract", "--", "printenv", name], cwd, env);
    expect({ status, stdout }).toStrictEqual({ status: 0, stdout: `${env[name]}\n` });
    expect(runExecutable(["-e", takeover], cwd, env)).toMatchObject({ status: 125, stdout: "" });
  });

  it("is one static file of at most five megabytes", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    expect(statSync(executable).size).toBeLessThanOrEqual(5_000_000);
    const { stdout } = spawnSync("readelf", ["--dynamic", "--program-headers", "--wide", executable], {
      encoding: "utf8",
    });
    expect(stdout).toContain("LOAD");
    expect(stdout).not.toMatch(/INTERP|NEEDED/);
  });

  /** The image has addresses, so the file's are fixed: runtime/README.md. */
  it("is protected from mistakes in its memory, but for its fixed addresses", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    expect(protectionsOf(executable)).toEqual({
      stack: "RW",
      hasWritableCode: false,
      hasFixedAddresses: true,
      hasRelro: true,
      bindsNow: "static",
      hasPathOrChangedCode: false,
    });
    const relro = segmentsOf(executable).find(({ type }) => type === "GNU_RELRO")?.address ?? 0;
    const { stdout } = runExecutable(
      ["--no-contract", "--redact", "--", "sh", "-c", "cat /proc/$PPID/maps"],
      folder(),
      {
        PULUMI_ACCESS_TOKEN: "pul-0a1b2c3d4e5f6a7b8c9d",
      },
    );
    const ranges = Array.from(
      stdout.matchAll(/^(\w+)-(\w+) (\S{4}) .*sophia-run/gm),
      ([, start = "", end = "", flags]) => ({
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        flags,
      }),
    );
    expect(ranges.find(({ start, end }) => start <= relro && relro < end)?.flags).toBe("r--p");
  });

  it("has functions that check the guard of the stack", ({ skip }) => {
    skip(process.platform !== "linux" || process.arch !== "x64", "looks for an instruction of Linux on x64");
    // `mov %fs:0x28, REGISTER`: the engine, the libraries and the runtime have thousands of functions.
    const bytes = readFileSync(executable);
    const address = Buffer.from("2528000000", "hex");
    let count = 0;
    for (let at = bytes.indexOf(address); at !== -1; at = bytes.indexOf(address, at + 1)) {
      if (bytes[at - 4] === 0x64) count += 1;
    }
    expect(count).toBeGreaterThan(1000);
  });

  /** Each costs microseconds: the system makes the page, or copies one of the image. */
  it("uses few pages of memory for a start", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const script =
      "import os, sys; print(os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)[2].ru_minflt)";
    const { stdout } = spawnSync("python3", ["-c", script, executable, "--no-contract", "--", "true"], {
      cwd: folder(),
      env: { PATH: process.env["PATH"] },
      encoding: "utf8",
    });
    // 220 with those of `true`; without fixed objects (runtime/quickjs/01-fixed-objects.patch) 330.
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(280);
  });

  it.for(["auto", "spawn"])("starts in a folder that was deleted, by --mode %s", (mode, { skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const cwd = folder();
    const script = 'rmdir "$PWD" && exec "$0" --no-contract --mode "$1" -- readlink /proc/self/cwd';
    expect(spawnSync("sh", ["-c", script, executable, mode], { cwd, encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: `${cwd} (deleted)\n`,
      stderr: "",
    });
  });

  it("contains neither the build's option nor the path where it was built", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const { status, stderr } = runExecutable(["--make-image"], folder());
    expect({ status, first: stderr.split("\n")[0] }).toStrictEqual({
      status: 125,
      first: "sophia-run: unknown option --make-image",
    });
    expect(readFileSync(executable).includes(join(import.meta.dirname, "../.."))).toBe(false);
  });

  it("starts in a folder whose path is too long", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    // By steps, since no call takes the whole path.
    const script = `
      const name = "d".repeat(200);
      for (let depth = 0; depth < 21; ++depth) {
        require("fs").mkdirSync(name);
        process.chdir(name);
      }
      require("child_process").spawnSync(process.argv[1], ["--no-contract", "--", "echo", "started"], { stdio: "inherit" });
      for (let depth = 0; depth < 21; ++depth) {
        process.chdir("..");
        require("fs").rmdirSync(name);
      }`;
    const node = spawnSync(process.execPath, ["-e", script, executable], { cwd: folder(), encoding: "utf8" });
    expect(node).toMatchObject({ status: 0, stdout: "started\n", stderr: "" });
  });

  it.for([
    ["SIGPWR", 30],
    ["SIGSTKFLT", 16],
  ] as const)("in spawn mode passes %s on to the program, which may die by it", async ([name, number], { skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const result = (program: string): Promise<unknown> => {
      const args = ["--no-contract", "--mode", "spawn", "--", "sh", "-c", program];
      return once(spawn(executable, args, { stdio: "ignore" }), "exit");
    };
    expect(await result(`trap "exit 3" ${number}; kill -${number} $PPID; sleep 5 & wait`)).toEqual([3, null]);
    expect(await result(`kill -${number} $$`)).toEqual([null, name]);
  });

  it("reads .env, bunfig.toml, tsconfig.json or package.json only if it is told to", () => {
    const cwd = folder({
      ".env": "FROM_DEFAULT=1\n",
      ".env.local": "FROM_LOCAL=1\n",
      ".env.production": "FROM_PRODUCTION=1\n",
      "named.env": "FROM_NAMED=1\n",
      "takeover.cjs": takeover,
      "bunfig.toml": 'preload = ["./takeover.cjs"]\n',
      "tsconfig.json": "{",
      "package.json": "{",
    });
    const { status, stdout, stderr } = runExecutable(["--no-contract", "--dotenv", "named.env", "--", "env"], cwd);
    expect({ status, stderr }).toStrictEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n").filter((line) => line.startsWith("FROM_"))).toStrictEqual(["FROM_NAMED=1"]);
    expect(stdout).not.toContain("taken over");
  });

  it.for([
    ["the soft limit of open files", "ulimit -Sn 300; exec", "ulimit -Sn", "300\n"],
    ["that standard input is closed", "exec 0<&-; exec", "test -e /proc/$$/fd/0 || echo closed", "closed\n"],
    ["that USR2 is ignored", "trap '' USR2; exec", "grep SigIgn /proc/$$/status", "SigIgn:\t0000000000000800\n"],
    [
      "that many signals are ignored",
      "trap '' HUP USR1 PIPE XFSZ PWR; exec",
      "grep SigIgn /proc/$$/status",
      "SigIgn:\t0000000021001201\n",
    ],
    [
      "the filter of core dumps",
      "echo 0x7 >/proc/self/coredump_filter; exec",
      "cat /proc/self/coredump_filter",
      "00000007\n",
    ],
    ["an inherited descriptor", "exec 7</dev/null; exec", "test -e /proc/$$/fd/7 && echo open", "open\n"],
  ] as const)("passes on %s", ([, before, program, stdout], { skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const args = ["-c", `${before} "$0" --no-contract -- sh -c "$1"`, executable, program];
    expect(spawnSync("sh", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })).toMatchObject({
      status: 0,
      stdout,
      stderr: "",
    });
  });

  it("as the parent process passes on an inherited descriptor above the limit on open files", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const script = 'exec 200</dev/null; ulimit -n 64; exec "$0" --no-contract --broker -- sh -c "$1"';
    const args = ["-c", script, executable, "test -e /proc/$$/fd/200 && echo open"];
    const env = { PATH: process.env["PATH"], OPENAI_API_KEY: "sk-made-up-0123456789" };
    const { stdout, stderr, status } = spawnSync("bash", args, {
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: "open\n", stderr: "", status: 0 });
  });

  it("passes on none of its own descriptors, and opens no stream", ({ skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const command = ["-c", "ls /proc/self/fd; grep flags /proc/self/fdinfo/2"];
    const { stdout } = spawnSync(executable, ["--no-contract", "--", "sh", ...command], { encoding: "utf8" });
    expect(stdout).toContain("flags:");
    expect(stdout).toBe(spawnSync("sh", command, { encoding: "utf8" }).stdout);
  });

  it("leaves the channel to a Node.js parent to the program, with its serialization", async () => {
    const script = 'process.once("message", (value) => process.send(value.get(1), () => process.disconnect()))';
    const args = ["--no-contract", "--", process.execPath, "-e", script];
    const child = spawn(executable, args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    const answer = once(child, "message");
    child.send(new Map([[1, new Set([2])]]));
    expect(await answer).toStrictEqual([new Set([2]), undefined]);
    expect(await once(child, "exit")).toStrictEqual([0, null]);
  });

  it.for(["SEGV", "BUS", "ILL"] as const)("writes no report of a death by SIG%s", (name, { skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    // It waits for the pipe's end.
    const script = 'mkfifo .env; "$0" --no-contract --dotenv .env -- echo "$2" & exec 3>.env; kill -"$1" $!; wait $!';
    const { status, stderr } = spawnSync("bash", ["-c", script, executable, name, "of-the-arguments"], {
      cwd: folder(),
      env: { PATH: process.env["PATH"], SECRET: "of-the-environment" },
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(status).toBe(128 + (constants.signals[`SIG${name}`] ?? 0));
    expect(stderr).not.toContain("of-the-");
  });

  it("passes on arguments of any bytes, in all modes", () => {
    const words = ["", "\u0001", "\u0002", "\u0002\u0003\u0001\u0002\u0004", "a b\nc", "é🙂", "x".repeat(100_000), ""];
    for (const mode of ["auto", "exec", "spawn"]) {
      const args = ["--no-contract", "--mode", mode, "--", "printf", String.raw`%s\0`, ...words];
      const { status, stdout, stderr } = runExecutable(args, folder());
      expect({ status, stderr }).toStrictEqual({ status: 0, stderr: "" });
      expect(stdout).toBe(words.map((word) => `${word}\0`).join(""));
    }
  });

  it.for([40, 80, 200])("has the help of the npm package at a terminal of %i columns", async (columns, { skip }) => {
    skip(process.platform !== "linux", "needs Linux");
    const layout = { ...PLAIN_LAYOUT, width: Math.min(columns, WIDTH), isTerminal: true };
    const options = { cwd: folder(), env: { PATH: process.env["PATH"] ?? "", TERM: "dumb" } };
    const shownHelp = async (...args: readonly string[]): Promise<string> => {
      const { stdout } = await startAtTerminal([executable, ...args], options, [], columns).finished;
      return stdout.replaceAll("\r\n", "\n");
    };
    for (const [asked, isFull] of [["--help", false] as const, ["--help=all", true] as const]) {
      expect(await shownHelp(asked)).toBe(await createMainHelp(layout, isFull));
      const texts = await Promise.all(COMMAND_NAMES.map((name) => shownHelp(name, asked)));
      expect(texts).toEqual(await Promise.all(COMMAND_NAMES.map((name) => createCommandHelp(name, layout, isFull))));
    }
  });

  it.for(["npm/10.9.0", "pnpm/9.0.0"])(
    "names the command in its help as the package does, below %s",
    (agent, { skip }) => {
      skip(process.platform !== "linux", "needs Linux");
      const cwd = folder();
      mkdirSync(join(cwd, "node_modules/.bin"), { recursive: true });
      writeFileSync(join(cwd, "node_modules/.bin/sophia-run"), "");
      const env = { PATH: process.env["PATH"], npm_config_user_agent: agent };
      for (const args of [["--help"], ["--help=all"], ["rotate", "--help"], ["check", "--help=all"]]) {
        const [packaged, alone] = [[process.execPath, join(root, "bin/sophia-run.cjs")], [executable]].map(
          ([command = "", ...prefix]) =>
            spawnSync(command, [...prefix, ...args], { cwd, env, encoding: "utf8" }).stdout,
        );
        expect(alone).toMatch(/^Usage: (?:npx|pnpm) /);
        expect(alone).toBe(packaged);
      }
    },
  );

  it("has the commands, the modes and the version of the whole command line", () => {
    const cwd = folder();
    expect(runExecutable(["--version"], cwd)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^\d+\.\d+\.\d+ \(executable, (?:commit [\da-f]{12}(?:, changed)?|built outside git)\)\n$/,
      ),
    });
    expect(runExecutable(["check", "--fake"], cwd)).toMatchObject({ status: 0, stderr: "" });
    expect(runExecutable(["--no-contract", "--", "sh", "-c", "exit 7"], cwd).status).toBe(7);
    expect(runExecutable(["--mode", "spawn", "--no-contract", "--", "sh", "-c", "exit 7"], cwd).status).toBe(7);
  });
});
