/** What the executable for Linux does if the system gives it less than usual. Node.js itself aborts in these cases. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { makeCertificates } from "../esc-server/tls.ts";
import { noCertificates } from "../helpers/certificates.ts";
import { findIsolation } from "../helpers/container.ts";
import { noNobody } from "../helpers/nobody.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { executable, noExecutable } from "../helpers/executables.ts";
import { startProcess } from "../helpers/start-process.ts";

skipBecause(notLinux ?? noExecutable);

/** Returns the prefix of a command to which the kernel refuses these system calls. */
function prefixThatRefuses(...calls: readonly string[]): readonly [string, ...string[]] {
  return ["python3", join(import.meta.dirname, "../launch/monitor/seccomp.py"), ...calls, "--"];
}

const CONTRACT = JSON.stringify({
  variables: {
    API_KEY: { required: true, format: { type: "text", pattern: "^s3cr3t-[a-z0-9-]+$" } },
    PORT: { format: { type: "port" }, secret: false, default: "80" },
    OPENAI_API_KEY: {},
  },
});

interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function runCommand(
  [command, ...args]: readonly [string, ...string[]],
  { cwd = folder(), env = {} }: CommandOptions = {},
) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

describe.for(["EPERM", "ENOSYS"])("the executable, if a filter of system calls answers %s", (error) => {
  it("to eventfd2, masks output", () => {
    const cwd = folder({ ".env": "API_KEY=s3cr3t-v4lue-0a1b\n" });
    const command = [executable, "--no-contract", "--redact", "--", "printenv", "API_KEY"];
    const result = runCommand([...prefixThatRefuses(`eventfd2:${error}`), ...command], { cwd });
    expect(result).toEqual({ status: 0, stdout: "***\n", stderr: "" });
  });

  it("to getrandom, brokers keys", () => {
    const command = [executable, "--no-contract", "--broker", "--", "printenv", "OPENAI_API_KEY"];
    const env = { OPENAI_API_KEY: "sk-real-0123456789abcdefghij" };
    expect(runCommand([...prefixThatRefuses(`getrandom:${error}`), ...command], { env })).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^sk-sophia-[A-Za-z0-9]{32}\n$/),
      stderr: "",
    });
  });

  it("to getrandom, reads ESC over TLS", async ({ skip }) => {
    skip(noCertificates !== undefined, noCertificates);
    const certificates = await makeCertificates();
    onTestFinished(() => certificates.remove());
    const server = await startEscServer({ tls: certificates.valid });
    onTestFinished(() => server.close());
    server.environment("acme/app/dev", { values: { GREETING: secret("hello") } });
    const cwd = folder();
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: cwd,
      ESC_ENV: "acme/app/dev",
      ESC_TOKEN: server.token,
      PULUMI_BACKEND_URL: server.url,
      SSL_CERT_FILE: certificates.caFile,
    };
    const command = [executable, "--no-contract", "--cache", "--", "printenv", "GREETING"];
    const { finished } = startProcess([...prefixThatRefuses(`getrandom:${error}`), ...command], { cwd, env });
    expect(await finished).toEqual({ status: 0, signal: null, stdout: "hello\n", stderr: "" });
  });

  it("to getrandom, and there is no /dev/urandom, prints the cause and the remedy", ({ skip }) => {
    const isolation = findIsolation();
    skip("reason" in isolation, "needs a mount namespace");
    const prefix = "prefix" in isolation ? isolation.prefix : (["false"] as const);
    const withoutDevices = ["sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"];
    const command = [executable, "--no-contract", "--broker", "--", "true"];
    const env = { OPENAI_API_KEY: "sk-real-0123456789abcdefghij" };
    expect(
      runCommand([...prefix, ...withoutDevices, ...prefixThatRefuses(`getrandom:${error}`), ...command], { env }),
    ).toEqual({
      status: 125,
      stdout: "",
      stderr: `sophia-run: no random numbers: the system call getrandom is refused, and
  /dev/urandom cannot be read (ENOENT)
  allow getrandom in the filter of system calls (seccomp), or provide
  /dev/urandom
`,
    });
  });
});

it("the executable masks output with a limit on processes that allows the program and no thread", ({ skip }) => {
  skip(noNobody !== undefined, noNobody);
  const cwd = folder({ ".env": "API_KEY=s3cr3t-v4lue-0a1b\n" });
  const copy = join(cwd, "sophia-run");
  copyFileSync(executable, copy);
  for (const path of [cwd, copy]) chmodSync(path, 0o755);
  chmodSync(join(cwd, ".env"), 0o644);
  // Other processes of this user would count.
  const identity = ["setpriv", "--reuid=64107", "--regid=64107", "--clear-groups", "--"] as const;
  const program = [copy, "--no-contract", "--quiet", "--redact", "--", "printenv", "API_KEY"];
  const limited = (most: number) => runCommand([...identity, "prlimit", `--nproc=${most}`, "--", ...program], { cwd });
  const refused = limited(1);
  expect(refused.stderr).toContain("the limit on processes is reached");
  expect(refused.status).toBe(126);
  for (const most of [2, 3, 4]) expect(limited(most)).toEqual({ status: 0, stdout: "***\n", stderr: "" });
});

it("scan reports the limit on open files if git cannot be started because of it", () => {
  const cwd = folder({ "a.txt": "a" });
  const limited = ["sh", "-c", 'ulimit -n 8; exec "$@"', "sh", executable, "scan"] as const;
  const { status, stdout, stderr } = runCommand(limited, { cwd, env: { QDRANT_API_KEY: "s3cr3t-v4lue-0a1b" } });
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expect(stderr).toContain("too many open files (EMFILE)");
});

describe("the executable, with few open files,", () => {
  it.for([["exec"], ["spawn"], ["redact"]] as const)("starts or names the limit in two lines, in mode %s", ([mode]) => {
    const cwd = folder({ ".env": "API_KEY=s3cr3t-v4lue-0a1b\n", "sophia.contract.json": CONTRACT });
    const options = mode === "redact" ? ["--redact"] : ["--mode", mode];
    const ends = Array.from({ length: 28 }, (_, index) => {
      const limited = ["sh", "-c", `ulimit -n ${index + 3}; exec "$@"`, "sh", executable] as const;
      return runCommand([...limited, ...options, "--", "sh", "-c", "echo $PORT"], { cwd });
    });
    const started = ends.findIndex(({ status }) => status === 0);
    for (const { stderr, ...end } of ends.slice(0, started)) {
      expect(end).toEqual({ status: 125, stdout: "" });
      expect(stderr).toMatch(/^sophia-run: .*\(EMFILE\).*\n {2}raise the limit on open files: ulimit -n 1024\n$/);
    }
    for (const end of ends.slice(started)) expect(end).toEqual({ status: 0, stdout: "80\n", stderr: "" });
    expect(started).toBeGreaterThan(0);
  });
});

it("the executable names the limit on memory once the kernel has started it with less address space than it needs", () => {
  const sizes = Array.from({ length: 76 }, (_, index) => 3000 + 100 * index);
  const ends = sizes.map((size) =>
    runCommand(["sh", "-c", `ulimit -v ${size}; exec "$@"`, "sh", executable, "--version"]),
  );
  // The kernel itself ends a process whose file it cannot map (execve(2)).
  const begun = ends.findIndex(({ status }) => status !== null);
  // docs/launching.md states this size.
  expect(sizes[begun]).toBeLessThanOrEqual(5600);
  for (const end of ends.slice(begun).filter(({ status }) => status !== 0)) {
    expect(end).toEqual({ status: 125, stdout: "", stderr: "sophia-run: not enough memory\n" });
  }
  expect(ends.at(-1)).toMatchObject({ status: 0 });
});

describe("the executable, with a stack of a few KiB,", () => {
  const makeFolder = (): string => folder({ ".env": "API_KEY=s3cr3t-v4lue-0a1b\n", "sophia.contract.json": CONTRACT });
  const limited = (cwd: string, stack: number, command: readonly string[]) => {
    const env = { OPENAI_API_KEY: "sk-real-0123456789abcdefghij" };
    return runCommand(["sh", "-c", `ulimit -Ss ${stack}; exec "$@"`, "sh", executable, ...command], { cwd, env });
  };

  it.for([
    ["--no-contract -- true", 0],
    ["--no-contract --mode spawn -- true", 0],
    ["--no-contract --redact -- true", 0],
    ["--no-contract --broker -- true", 0],
    ["--verbose -- true", 0],
    ["check", 0],
    ["check --fake", 0],
    ["explain", 0],
    ["export --format json", 0],
    ["docs --check", 1],
    ["scan .env", 1],
    ["--help=all", 0],
    ["completion bash", 0],
  ] as const)("has the usual result of sophia-run %s", ([line, status]) => {
    const cwd = makeFolder();
    const usual = limited(cwd, 8192, line.split(" "));
    expect(usual).toMatchObject({ status });
    for (const stack of [48, 128, 1024]) expect(limited(cwd, stack, line.split(" "))).toEqual(usual);
  });

  it("starts in 8 KiB, and in 12 KiB with variables that fill a page", () => {
    const started = (stack: number, env: Readonly<Record<string, string>>) => {
      // The kernel leaves up to 8 KiB of the stack unused, by chance, unless it is told not to.
      const command = ["-R", "sh", "-c", `ulimit -s ${stack}; exec "$@"`, "sh", executable, "--version"];
      return spawnSync("setarch", command, { env, encoding: "utf8", timeout: 20_000 });
    };
    for (const stack of [8, 12, 16]) expect(started(stack, {})).toMatchObject({ status: 0, stderr: "" });
    for (const stack of [12, 16]) {
      expect(started(stack, { PADDING: "x".repeat(3000) })).toMatchObject({ status: 0, stderr: "" });
    }
  });

  it("gives the program the caller's limit", () => {
    for (const mode of ["exec", "spawn"]) {
      const program = ["--no-contract", "--mode", mode, "--", "sh", "-c", "ulimit -Ss"];
      expect(limited(makeFolder(), 128, program)).toEqual({ status: 0, stdout: "128\n", stderr: "" });
    }
  });
});

describe("the executable, if its monitor would need an emulator, which cannot open its file in memory,", () => {
  /** Shell: registers /bin/false as the emulator of all files that begin as the monitor, in a namespace. */
  const emulated = (command: readonly string[]): readonly [string, ...string[]] => {
    const monitor = readFileSync(join(import.meta.dirname, `../../dist/linux-${process.arch}-monitor`));
    const header = Array.from(monitor.subarray(0, 64), (byte) => String.raw`\x${byte.toString(16).padStart(2, "0")}`);
    const script = `mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
      printf %s "$0" >/proc/sys/fs/binfmt_misc/register && exec "$@"`;
    const rule = `:monitor:M:0:${header.join("")}::/bin/false:F`;
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, rule, ...command];
  };

  it("has the program's status, and the program gets its signals", ({ skip }) => {
    skip(runCommand(emulated(["true"])).status !== 0, "needs binfmt_misc of a user namespace (Linux 6.7)");
    const script = 'trap "exit 9" TERM; (kill -TERM $PPID); for i in $(seq 100); do sleep 0.05; done';
    const program = ["sh", "-c", script];
    const command = [executable, "--no-contract", "--mode", "spawn", "--", ...program];
    expect(runCommand(emulated(command))).toEqual({ status: 9, stdout: "", stderr: "" });
  });
});
