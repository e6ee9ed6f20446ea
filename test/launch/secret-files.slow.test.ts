import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder, writeSecretFiles } from "../../src/launch/secret-files.ts";
import { noNobody } from "../helpers/nobody.ts";
import { missingCommand, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { waitForExit, useDriver, useDriverCommand } from "./driver-process.ts";
import { expectWording } from "../helpers/wording.ts";

const startWithAddon = useDriver();
const driverCommand = useDriverCommand();
const startWithoutAddon = useDriver("--no-addons");
/** The folder of secret files, in memory if there is /dev/shm. */
const secretFilesFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const content = "line 1\r\nline 2\n\u00e9\u{1f600} no end";

describe("secret files", () => {
  const write = (...files: Parameters<typeof writeSecretFiles>[0]): ReturnType<typeof writeSecretFiles> => {
    const secretFiles = writeSecretFiles(files, undefined);
    onTestFinished(secretFiles.remove);
    return secretFiles;
  };

  test("have exactly the content, are readable by their owner only, and are in memory", () => {
    const mask = process.umask(0o777); // removes every permission
    onTestFinished(() => void process.umask(mask));
    const { paths } = write({ name: "KEY", content }, { name: "EMPTY", content: "" });
    process.umask(mask);
    const [key = "", empty = ""] = [paths.get("KEY"), paths.get("EMPTY")];
    expect(readFileSync(key, "utf8")).toBe(content);
    expect(readFileSync(empty, "utf8")).toBe("");
    expect([key, empty, dirname(key)].map((path) => (statSync(path).mode & 0o7777).toString(8))).toEqual([
      "600",
      "600",
      "700",
    ]);
    expect(key).toMatch(/\/sophia-run-[^/]+\/KEY$/);
    expect(dirname(dirname(key))).toBe(secretFilesFolder);
  });

  test("are never in the working directory, whatever TMPDIR is", () => {
    const formerTmpdir = process.env["TMPDIR"];
    const former = process.cwd();
    onTestFinished(() => {
      process.chdir(former);
      if (formerTmpdir === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = formerTmpdir;
    });
    const workFolder = folder();
    process.chdir(workFolder);
    for (const value of [".", "", "sub", workFolder, `${workFolder}/.`]) {
      process.env["TMPDIR"] = value;
      expect(temporaryFolder()).toBe("/tmp");
    }
    process.env["TMPDIR"] = dirname(workFolder);
    expect(temporaryFolder()).toBe(dirname(workFolder));
  });

  test("have valid names, whatever the names of their variables are", () => {
    const { paths } = write(
      { name: "../../etc/passwd", content: "a" },
      { name: "x".repeat(300), content: "b" },
      { name: ".", content: "c" },
    );
    expect([...paths.values()].map((path) => path.split("/").at(-1))).toEqual(["file-0", "file-1", "file-2"]);
    expect([...paths.values()].map((path) => readFileSync(path, "utf8"))).toEqual(["a", "b", "c"]);
  });

  test("can be removed twice", () => {
    const { paths, remove } = write({ name: "KEY", content });
    remove();
    remove();
    expect(existsSync(dirname(paths.get("KEY") ?? ""))).toBe(false);
  });
});

describe.each([
  ["the monitor", startWithAddon],
  ["Node.js", startWithoutAddon],
])("%s removes the secret files after the program's end, not before,", (_by, start) => {
  const files = [{ name: "KEY", content }];
  const showPath = 'printf "%s\\n" "$KEY"; test -s "$KEY" || exit 99; ';

  test.each([
    ["an exit", "exit 7", { status: 7, signal: null }],
    ["a death by SIGTERM", "kill -TERM $$", { status: null, signal: "SIGTERM" }],
    ["a death by SIGKILL", "kill -KILL $$", { status: null, signal: "SIGKILL" }],
    ["a death by SIGABRT", "ulimit -c 0; kill -ABRT $$", { status: null, signal: "SIGABRT" }],
    ["an exit with 130", "exit 130", { status: 130, signal: null }],
  ])("by %s", async (_, end, expected) => {
    const { line, ended } = start({ files }, "sh", "-c", showPath + end);
    const path = await line();
    expect(await ended).toEqual(expected);
    expect(existsSync(dirname(path))).toBe(false);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2", "SIGABRT", "SIGIO", "SIGALRM"] as const)(
    "which a %s to the launcher causes: the program gets it once",
    async (signal) => {
      const script = `const { existsSync } = require("node:fs"); let count = 0;
        process.on(${JSON.stringify(signal)}, () => { count++; setImmediate(() => { console.log(count, existsSync(process.env.KEY)); process.exit(3); }); });
        process.stdin.resume(); console.log(process.env.KEY);`;
      const { line, ended, child } = start({ files }, process.execPath, "-e", script);
      const path = await line();
      child.kill(signal);
      expect(await line()).toBe("1 true");
      expect(await ended).toEqual({ status: 3, signal: null });
      expect(existsSync(dirname(path))).toBe(false);
    },
  );

  test("and gives an unprivileged user with a umask of 777 readable files, and the program that umask", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    const { spawnfile, spawnargs } = start({ files }, "true").child;
    const options = spawnargs.slice(1, -3);
    const [driver = "", request = ""] = spawnargs.slice(-3);
    chmodSync(dirname(driver), 0o755);
    const showModes = 'stat -c %a "$KEY" "${KEY%/*}"; umask; cat "$KEY" >/dev/null';
    const launcherCommand = [spawnfile, ...options, driver, request, "sh", "-c", showModes];
    const args = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "sh",
      "-c",
      'umask 0777; exec "$@"',
      "sh",
      ...launcherCommand,
    ];
    const { stdout, stderr, status } = spawnSync("setpriv", args, { cwd: "/", encoding: "utf8" });
    expect({ stdout, stderr, status }).toEqual({ stdout: "600\n700\n0777\n", stderr: "", status: 0 });
  });

  test("and also if the program cannot be started", async () => {
    const { ended, stderr, pid } = start({ files }, "/etc/passwd");
    expect(await ended).toEqual({ status: 126, signal: null });
    expect(stderr()).toBe("/etc/passwd: permission denied\n");
    expect(listFoldersOf(pid)).toEqual([]);
  });

  test("or at the next start, if the launcher was killed by SIGKILL", async () => {
    const first = start({ files }, "sh", "-c", `${showPath} echo $$; exec sleep 60`);
    const path = await first.line();
    const program = Number(await first.line());
    first.child.kill("SIGKILL");
    process.kill(program, "SIGKILL");
    await Promise.all([first.ended, waitForExit(program)]);
    const second = start({ files }, "sh", "-c", `${showPath} read line`);
    const otherPath = await second.line();
    expect([path, dirname(path), otherPath].map((each) => existsSync(each))).toEqual([false, false, true]);
    second.child.stdin?.end("\n");
    await second.ended;
  });
});

describe("the folder for secret files", () => {
  beforeEach(({ skip }) =>
    skip(process.geteuid?.() !== 0, "needs root, who can mount file systems and change the owner of folders"),
  );
  skipBecause(missingCommand("unshare"));

  /** Starts a program that prints in which folder its secret file is, after the shell command `prepare` has changed /dev/shm. */
  const startWithMount = (prepare: string, environment: Readonly<Record<string, string>>) => {
    const [file, ...args] = driverCommand(
      { files: [{ name: "KEY", content }] },
      "sh",
      "-c",
      'dirname "$(dirname "$KEY")"',
    );
    const prefix = ["--mount", "sh", "-c", `${prepare}; exec "$@"`, "sh", file];
    const env = { PATH: process.env["PATH"], ...environment };
    const { status, stdout, stderr } = spawnSync("unshare", [...prefix, ...args], { env, encoding: "utf8" });
    return { status, stdout, stderr };
  };

  test.each([
    ["is XDG_RUNTIME_DIR, if the user owns that", 0, 0o700, true],
    ["is not XDG_RUNTIME_DIR, if another user owns that", 12345, 0o700, false],
    ["is not XDG_RUNTIME_DIR, if the group may write that", 0, 0o770, false],
    ["is not XDG_RUNTIME_DIR, if every user may write that", 0, 0o1777, false],
  ])("%s and /dev/shm is on a disk", (_, owner, mode, isUsed) => {
    const [runtime, temporary, disk] = [folder(), folder(), folder()];
    const prepare = `mount --bind ${disk} /dev/shm; mount -t tmpfs -o mode=${mode.toString(8)},uid=${owner} tmpfs ${runtime}`;
    const started = startWithMount(prepare, { XDG_RUNTIME_DIR: runtime, TMPDIR: temporary });
    expect(started).toEqual({ status: 0, stdout: `${isUsed ? runtime : temporary}\n`, stderr: "" });
  });

  test("is not on a disk if /dev/shm is full, since another user can fill that", () => {
    const temporary = folder();
    // The root of the file system takes the only inode.
    const resultIfFull = startWithMount("mount -t tmpfs -o nr_inodes=1 tmpfs /dev/shm", { TMPDIR: temporary });
    expect(resultIfFull).toMatchObject({ status: 125, stdout: "" });
    expect(resultIfFull.stderr).toMatch(/\/dev\/shm: ENOSPC/);
    expect(readdirSync(temporary)).toEqual([]);
    const readOnly = startWithMount("mount -t tmpfs -o ro tmpfs /dev/shm", { TMPDIR: temporary });
    expect(readOnly).toEqual({ status: 0, stdout: `${temporary}\n`, stderr: "" });
  });
});

test("exec mode with secret files is refused without the addon, since no process would remove them", async ({
  skip,
}) => {
  skip(!("execve" in process), "needs process.execve, which Node.js has from 22.15 on");
  const { ended, stderr } = startWithoutAddon({ files: [{ name: "KEY", content }], mode: "exec" }, "true");
  expect(await ended).toEqual({ status: 125, signal: null });
  expectWording(stderr());
});

/** Lists the folders of the launcher with this PID. Other launchers make and remove folders at the same time. */
function listFoldersOf(pid: number): readonly string[] {
  return readdirSync(secretFilesFolder).filter((name) => name.startsWith("sophia-run-") && name.includes(`-${pid}-`));
}
