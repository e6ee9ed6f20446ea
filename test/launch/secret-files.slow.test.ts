import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder, writeSecretFiles } from "../../src/launch/secret-files.ts";
import { noNobody } from "../helpers/nobody.ts";
import { folder } from "../helpers/sophia.ts";
import { gone, useDriver, useDriversWords } from "./launching.ts";
import { expectWording } from "../helpers/wording.ts";

const startWithAddon = useDriver();
const words = useDriversWords();
const startWithoutAddon = useDriver("--no-addons");
/** The folder of secret files, in memory if there is /dev/shm. */
const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const content = "line 1\r\nline 2\n\u00e9\u{1f600} no end";

describe("files", () => {
  const write = (...files: Parameters<typeof writeSecretFiles>[0]): ReturnType<typeof writeSecretFiles> => {
    const written = writeSecretFiles(files, undefined);
    onTestFinished(written.remove);
    return written;
  };

  test("hold exactly the content, only for their owner, in memory", () => {
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
    expect(dirname(dirname(key))).toBe(place);
  });

  test("are never in the working directory, at any TMPDIR", () => {
    const named = process.env["TMPDIR"];
    const former = process.cwd();
    onTestFinished(() => {
      process.chdir(former);
      if (named === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = named;
    });
    const here = folder();
    process.chdir(here);
    for (const value of [".", "", "sub", here, `${here}/.`]) {
      process.env["TMPDIR"] = value;
      expect(temporaryFolder()).toBe("/tmp");
    }
    process.env["TMPDIR"] = dirname(here);
    expect(temporaryFolder()).toBe(dirname(here));
  });

  test("have valid names for any names of variables", () => {
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
])("while the program runs its files are there, and afterwards gone: removed by %s", (_by, start) => {
  const files = [{ name: "KEY", content }];
  const show = 'printf "%s\\n" "$KEY"; test -s "$KEY" || exit 99; ';

  test.each([
    ["an exit", "exit 7", { status: 7, signal: null }],
    ["a death by SIGTERM", "kill -TERM $$", { status: null, signal: "SIGTERM" }],
    ["a death by SIGKILL", "kill -KILL $$", { status: null, signal: "SIGKILL" }],
    ["a death by SIGABRT", "ulimit -c 0; kill -ABRT $$", { status: null, signal: "SIGABRT" }],
    ["an exit with 130", "exit 130", { status: 130, signal: null }],
  ])("%s", async (_, end, expected) => {
    const { line, ended } = start({ files }, "sh", "-c", show + end);
    const path = await line();
    expect(await ended).toEqual(expected);
    expect(existsSync(dirname(path))).toBe(false);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2", "SIGABRT", "SIGIO", "SIGALRM"] as const)(
    "%s to the launcher is the program's, once, and the files stay until its end",
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

  test("an unprivileged user with a umask of 777, and the program's own umask", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    const { spawnfile, spawnargs } = start({ files }, "true").child;
    const options = spawnargs.slice(1, -3);
    const [driver = "", request = ""] = spawnargs.slice(-3);
    chmodSync(dirname(driver), 0o755);
    const look = 'stat -c %a "$KEY" "${KEY%/*}"; umask; cat "$KEY" >/dev/null';
    const own = [spawnfile, ...options, driver, request, "sh", "-c", look];
    const args = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "sh",
      "-c",
      'umask 0777; exec "$@"',
      "sh",
      ...own,
    ];
    const { stdout, stderr, status } = spawnSync("setpriv", args, { cwd: "/", encoding: "utf8" });
    expect({ stdout, stderr, status }).toEqual({ stdout: "600\n700\n0777\n", stderr: "", status: 0 });
  });

  test("a program that cannot be started", async () => {
    const { ended, stderr, pid } = start({ files }, "/etc/passwd");
    expect(await ended).toEqual({ status: 126, signal: null });
    expect(stderr()).toBe("/etc/passwd: permission denied\n");
    expect(foldersOf(pid)).toEqual([]);
  });

  test("a launcher killed by SIGKILL leaves them, the next one removes them", async () => {
    const first = start({ files }, "sh", "-c", `${show} echo $$; exec sleep 60`);
    const path = await first.line();
    const program = Number(await first.line());
    first.child.kill("SIGKILL");
    process.kill(program, "SIGKILL");
    await Promise.all([first.ended, gone(program)]);
    const second = start({ files }, "sh", "-c", `${show} read line`);
    const other = await second.line();
    expect([path, dirname(path), other].map((each) => existsSync(each))).toEqual([false, false, true]);
    second.child.stdin?.end("\n");
    await second.ended;
  });
});

describe("the place of the files", () => {
  beforeEach(({ skip }) =>
    skip(process.geteuid?.() !== 0, "needs root, who can mount file systems and give folders away"),
  );

  /** Starts a program that shows the folder of its file, with a /dev/shm that `prepare` makes. */
  const startWith = (prepare: string, environment: Readonly<Record<string, string>>) => {
    const [file, ...args] = words({ files: [{ name: "KEY", content }] }, "sh", "-c", 'dirname "$(dirname "$KEY")"');
    const prefix = ["--mount", "sh", "-c", `${prepare}; exec "$@"`, "sh", file];
    const env = { PATH: process.env["PATH"], ...environment };
    const { status, stdout, stderr } = spawnSync("unshare", [...prefix, ...args], { env, encoding: "utf8" });
    return { status, stdout, stderr };
  };

  test.each([
    ["the user's own", 0, 0o700, true],
    ["another user's", 12345, 0o700, false],
    ["one that the group may write", 0, 0o770, false],
    ["one that every user may write", 0, 0o1777, false],
  ])("without /dev/shm: XDG_RUNTIME_DIR, if it is %s", (_, owner, mode, isUsed) => {
    const [runtime, temporary, disk] = [folder(), folder(), folder()];
    const prepare = `mount --bind ${disk} /dev/shm; mount -t tmpfs -o mode=${mode.toString(8)},uid=${owner} tmpfs ${runtime}`;
    const started = startWith(prepare, { XDG_RUNTIME_DIR: runtime, TMPDIR: temporary });
    expect(started).toEqual({ status: 0, stdout: `${isUsed ? runtime : temporary}\n`, stderr: "" });
  });

  test("is not on a disk if the memory is full, with which another user can fill it", () => {
    const temporary = folder();
    // Each file system has a root.
    const full = startWith("mount -t tmpfs -o nr_inodes=1 tmpfs /dev/shm", { TMPDIR: temporary });
    expect(full).toMatchObject({ status: 125, stdout: "" });
    expect(full.stderr).toMatch(/\/dev\/shm: ENOSPC/);
    expect(readdirSync(temporary)).toEqual([]);
    const readOnly = startWith("mount -t tmpfs -o ro tmpfs /dev/shm", { TMPDIR: temporary });
    expect(readOnly).toEqual({ status: 0, stdout: `${temporary}\n`, stderr: "" });
  });
});

test("without the addon exec mode is refused, since nothing would remove them", async ({ skip }) => {
  skip(!("execve" in process), "needs process.execve, which Node.js has from 22.15 on");
  const { ended, stderr } = startWithoutAddon({ files: [{ name: "KEY", content }], mode: "exec" }, "true");
  expect(await ended).toEqual({ status: 125, signal: null });
  expectWording(stderr());
});

/** The folders of the launcher with this PID; those of others come and go. */
function foldersOf(pid: number): readonly string[] {
  return readdirSync(place).filter((name) => name.startsWith("sophia-run-") && name.includes(`-${pid}-`));
}
