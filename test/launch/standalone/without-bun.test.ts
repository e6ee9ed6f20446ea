import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { notInstalled, notLinux, skipBecause } from "../../helpers/skip.ts";
import { CONTRACT_VALUES, folder } from "../../helpers/sophia.ts";
import { executable, notMade } from "../../helpers/standalone.ts";

/** Prints the peak memory in KiB, which a process keeps across execve (getrusage(2)). */
const PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)";
/** The interpreter itself: on some machines a slow script stands in front of it. */
const python = spawnSync("python3", ["-Ic", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout.trim();
const showPeak = [python, "-ISc", PEAK] as const;
/** More than Python takes (9 MB), and less than Bun does (30 MB). */
const LEAST_OF_BUN_KIB = 20_000;

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly in?: readonly string[];
}

function run(args: readonly string[], { cwd = folder(), env = {}, in: prefix = [] }: Surroundings = {}) {
  const [command = "", ...words] = [...prefix, executable, ...args];
  const { status, signal, stdout, stderr } = spawnSync(command, words, {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "latin1",
    timeout: 20_000,
  });
  return { status, signal, stdout, stderr };
}

/** Returns true if a start took less memory than Bun does. */
function isWithoutBun(args: readonly string[], place?: Surroundings): boolean {
  const { status, stdout, stderr } = run([...args, ...showPeak], place);
  expect({ status, stderr }).toStrictEqual({ status: 0, stderr: "" });
  return Number(stdout) < LEAST_OF_BUN_KIB;
}

const CONTRACT = JSON.stringify({
  variables: {
    SERVICE_URL: { format: "url", required: true },
    PORT: { format: "port", default: "8080" },
    SERVICE_TOKEN: { secret: true, required: true },
  },
});
const MET = { SERVICE_URL: "https://service.example/v1?a=b", SERVICE_TOKEN: "quiet-token" };

skipBecause(notLinux ?? notMade);
skipBecause(notInstalled("python3", "--version"));

describe("a start runs without Bun", () => {
  it("with no contract", () => expect(isWithoutBun(["--no-contract", "--"])).toBe(true));
  it("without dashes", () => expect(isWithoutBun(["--no-contract"])).toBe(true));
  it("with the built-in contract", () => expect(isWithoutBun(["--"], { env: CONTRACT_VALUES })).toBe(true));
  it("with options", () => {
    const options = ["-q", "--mode=exec", "--timeout", "1s", "--include", "SERVICE_*,PATH", "--exclude=*_TOKEN"];
    expect(isWithoutBun([...options, "--no-contract", "--"], { env: MET })).toBe(true);
  });
  it("with settings in the environment", () =>
    expect(isWithoutBun(["--"], { env: { SOPHIA_NO_CONTRACT: "true", SOPHIA_MODE: "auto" } })).toBe(true));
  it("with variables that Node.js and Bun would read", () =>
    expect(isWithoutBun(["--no-contract", "--"], { env: { NODE_OPTIONS: "--inspect", BUN_OPTIONS: "--bun" } })).toBe(
      true,
    ));

  it("with a contract above the working directory", () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    mkdirSync(join(cwd, "below"));
    expect(isWithoutBun(["--"], { cwd: join(cwd, "below"), env: MET })).toBe(true);
    expect(run(["--", "printenv", "PORT"], { cwd: join(cwd, "below"), env: MET }).stdout).toBe("8080\n");
  });

  it("with a .env", () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT, ".env": 'SERVICE_TOKEN="a b"\nPORT=1\n' });
    const env = { SERVICE_URL: MET.SERVICE_URL, PORT: "2" };
    expect(isWithoutBun(["--"], { cwd, env })).toBe(true);
    expect(run(["--", "printenv", "SERVICE_TOKEN", "PORT"], { cwd, env }).stdout).toBe("a b\n2\n");
  });

  it("with a world-readable .env without secrets", () => {
    const cwd = folder({ ".env": "NOTE=b\n" });
    chmodSync(join(cwd, ".env"), 0o644);
    expect(isWithoutBun(["--no-contract", "--"], { cwd })).toBe(true);
  });

  it("with files that are named", () => {
    const cwd = folder({ "named.json": CONTRACT, ".env.named": "SERVICE_TOKEN=named\n" });
    const options = ["--contract", "./named.json", "--dotenv", "../.env.named"];
    mkdirSync(join(cwd, "below"));
    writeFileSync(join(cwd, "below/named.json"), '{ "extends": "../named.json" }');
    const place = { cwd: join(cwd, "below"), env: { SERVICE_URL: MET.SERVICE_URL } };
    expect(isWithoutBun([...options, "--"], place)).toBe(true);
    expect(run([...options, "--", "printenv", "SERVICE_TOKEN"], place).stdout).toBe("named\n");
  });

  it("as PID 1, which the program keeps", ({ skip }) => {
    const unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    const problem = notInstalled("unshare", ...unshare.slice(1), "true");
    skip(problem !== undefined, problem);
    expect(isWithoutBun(["--no-contract", "--"], { in: unshare })).toBe(true);
    expect(run(["--no-contract", "--", "sh", "-c", "echo $$"], { in: unshare }).stdout).toBe("1\n");
  });

  it("with 5,000 variables", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`MANY_${index}`, `value ${index}`]));
    expect(isWithoutBun(["--no-contract", "--"], { env: many })).toBe(true);
    const { stdout } = run(["--no-contract", "--", "env"], { env: many });
    expect(stdout.split("\n").filter((line) => line.startsWith("MANY_"))).toHaveLength(5000);
  });
});

describe("a start falls back to Bun without a trace", () => {
  it("with a warning", () => {
    const cwd = folder({ ".env": 'NOTE="${OTHER}"\n' });
    const { status, stdout, stderr } = run(["--no-contract", "--", ...showPeak], { cwd });
    expect(status).toBe(0);
    expect(stderr).toContain("warning");
    expect(Number(stdout)).toBeGreaterThan(LEAST_OF_BUN_KIB);
  });

  it("with a .env that is a pipe, which is read once", () => {
    const script = 'mkfifo .env && { printf "NOTE=once\\n" >.env & } && exec "$0" --no-contract -- printenv NOTE';
    expect(spawnSync("sh", ["-c", script, executable], { cwd: folder(), encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: "once\n",
    });
  });

  it("with an argument and a variable that are not UTF-8", () => {
    const script =
      'export VALUE="$(printf "\\351")"; exec "$0" --no-contract -- sh -c \'printf "%s|%s" "$1" "$VALUE"\' sh "$VALUE"';
    expect(spawnSync("sh", ["-c", script, executable], { cwd: folder(), encoding: "latin1" })).toMatchObject({
      status: 0,
      stdout: "\u00E9|\u00E9",
    });
  });

  it("with a script without #!, once execve has refused it", () => {
    const cwd = folder();
    writeFileSync(join(cwd, "script"), "echo by the shell; cat /proc/self/coredump_filter\n", { mode: 0o755 });
    const [filter] = spawnSync("cat", ["/proc/self/coredump_filter"], { encoding: "utf8" }).stdout.split("\n");
    expect(run(["--no-contract", "--", "./script"], { cwd })).toMatchObject({
      status: 0,
      stdout: `by the shell\n${filter}\n`,
      stderr: "",
    });
  });

  it("while PID 1 ends at a signal that comes before Bun's first line of JavaScript", ({ skip }) => {
    const unshare = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"];
    const problem = notInstalled("unshare", ...unshare, "true");
    skip(problem !== undefined, problem);
    // The C library reads this file for Bun, and here waits for whoever writes it.
    const script = `
      mount -t tmpfs none /proc && mkdir /proc/self && mkfifo /proc/self/maps
      set -m
      unshare --pid --fork "$0" --no-contract -- no-such-command &
      exec 3>/proc/self/maps
      kill -TERM -- -$!
      wait $!`;
    const options = { timeout: 10_000, killSignal: "SIGKILL" } as const;
    expect(spawnSync("unshare", [...unshare, "bash", "-c", script, executable], options)).toMatchObject({
      status: 143,
    });
  });

  it("with a stack that is too small", () => {
    const cwd = folder({ "sophia.contract.json": `{ "variables": ${"[".repeat(20_000)}${"]".repeat(20_000)} }` });
    const script = 'ulimit -Ss 256; exec "$0" -- true';
    const { status, stderr } = spawnSync("sh", ["-c", script, executable], { cwd, encoding: "utf8" });
    expect(status).toBe(125);
    expect(stderr).toContain("nested too deeply");
  });

  it("with a missing command", () => {
    expect(run(["--no-contract", "--", "no-such-command"])).toStrictEqual({
      status: 127,
      signal: null,
      stdout: "",
      stderr: "sophia-run: no-such-command: command not found\n",
    });
  });

  it("with a URL that is not plain", () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    for (const [url, status] of [
      ["https://[::1]:8443/", 0],
      ["https://user@bücher.example", 0],
      ["https://1.2.3.4.5/", 78],
      ["https://a:99999", 78],
    ] as const) {
      expect(run(["--", "true"], { cwd, env: { ...MET, SERVICE_URL: url } })).toMatchObject({ status });
    }
  });
});

describe("without Bun the program inherits the caller's settings", () => {
  it.each([
    ["ignored signals", "trap '' PIPE HUP USR1 XFSZ", "grep SigIgn /proc/self/status"],
    ["its core dump filter", "echo 0x7 >/proc/self/coredump_filter", "cat /proc/self/coredump_filter"],
    ["descriptors", "exec 5</dev/null 9>/dev/null", "ls /proc/self/fd"],
    ["closed streams", "exec 0<&-", "ls -l /proc/self/fd | grep -c null; true"],
    ["its limits", "ulimit -Sn 77", "ulimit -Sn"],
  ])("%s", (_, before, look) => {
    const cwd = folder();
    const [bare, launched] = ["", '"$0" --no-contract -- '].map((prefix) =>
      spawnSync("bash", ["-c", `${before}; ${prefix}sh -c '${look}'`, executable], { cwd, encoding: "utf8" }),
    );
    expect(launched?.stdout).not.toBe("");
    expect(launched).toMatchObject({ status: 0, stdout: bare?.stdout, stderr: "" });
  });
});
