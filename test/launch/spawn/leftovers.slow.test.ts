/** What is removed of the secret files that a killed sophia-run has left, and what is not. */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { MonitorAddon } from "../../../src/launch/monitor/monitor-addon.ts";
import { readProcessStat } from "../../../src/launch/proc/process-stat.ts";
import { removeLeftovers } from "../../../src/launch/spawn/leftovers.ts";
import { entriesOf, makeOwnedFolder, removeOwnedFolder } from "../../../src/launch/spawn/owned-folder.ts";
import { loadModule } from "../../../src/system/addon/addon.ts";
import { noAddon, notLinux, skipBecause } from "../../helpers/skip.ts";
import { addon, folder } from "../../helpers/sophia.ts";

skipBecause(notLinux ?? noAddon);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/monitor/monitor-addon.c defines these
const loaded = loadModule(addon.replace(/\.node$/, "-monitor.node")) as MonitorAddon | undefined;
const tryLock = loaded?.tryLock;

const here = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
const started = readProcessStat("self")?.startTime ?? "0";
const beyond = 2 ** 30; // no process has this PID
const GONE = `${here}-${beyond}-1`;
const ELSEWHERE = "1-7-1234";

/** A base folder with one folder of a launcher, which holds a file. */
function left(name: string, base = folder()): { base: string; path: string } {
  const path = join(base, name);
  mkdirSync(path);
  writeFileSync(join(path, "KEY"), "secret");
  return { base, path };
}

/** Has another process hold the lock of a folder until the test ends. */
async function holdLock(path: string): Promise<void> {
  const holder = spawn("flock", ["--exclusive", path, "sh", "-c", "echo; read line"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.stdin.end());
  await once(holder.stdout, "data");
}

describe.each([
  ["a locked folder whose lock is free", `sophia-run-${ELSEWHERE}-locked-abcdef`, { isHeld: false, isRemoved: true }],
  ["a locked folder whose lock is held", `sophia-run-${ELSEWHERE}-locked-abcdef`, { isHeld: true, isRemoved: false }],
  ["a folder of a version without the lock", `sophia-run-${ELSEWHERE}-abcdef`, { isHeld: false, isRemoved: false }],
  ["a folder whose random end is locked", `sophia-run-${ELSEWHERE}-locked`, { isHeld: false, isRemoved: false }],
])("of another PID namespace, %s", (_, name, { isHeld, isRemoved }) => {
  test("stays if it may have an owner", async () => {
    const { base, path } = left(name);
    if (isHeld) await holdLock(path);
    removeLeftovers(base, tryLock);
    expect(existsSync(join(path, "KEY"))).toBe(!isRemoved);
    expect(existsSync(path)).toBe(!isRemoved);
  });

  test("stays without the addon", () => {
    const { base, path } = left(name);
    removeLeftovers(base, undefined);
    expect(readFileSync(join(path, "KEY"), "utf8")).toBe("secret");
  });
});

test.each([
  ["a process that is gone", GONE, false],
  ["a process that has the PID of one that is gone", `${here}-${process.pid}-1`, false],
  ["a living process", `${here}-${process.pid}-${started}`, true],
  ["a living process whose start is unknown", `${here}-${process.pid}-0`, true],
  ["PID 0", `${here}-0-1`, true],
  ["a PID that no system has", `${here}-9999999999-1`, false],
])("of this PID namespace, the folder of %s", async (_, mark, stays) => {
  const [unlocked, free, held] = ["abcdef", "locked-abcdef", "locked-ghijkl"].map((end) => `sophia-run-${mark}-${end}`);
  for (const lock of [tryLock, undefined]) {
    const base = folder();
    for (const name of [unlocked, free]) left(name ?? "", base);
    removeLeftovers(base, lock);
    expect(readdirSync(base)).toEqual(stays ? [unlocked, free] : []);
  }
  const { base, path } = left(held ?? "");
  await holdLock(path);
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toEqual([held]);
});

test("a folder that this process has made is locked, and removed with its lock", () => {
  const base = folder();
  const own = makeOwnedFolder(base, tryLock);
  expect(own.path).toMatch(new RegExp(`^${base}/sophia-run-${here}-${process.pid}-${started}-locked-[\\da-f]{8}$`));
  const isFree = (): boolean => spawnSync("flock", ["--nonblock", own.path, "true"]).status === 0;
  expect(isFree()).toBe(false);
  writeFileSync(join(own.inside, "KEY"), "secret");
  expect(readFileSync(join(own.path, "KEY"), "utf8")).toBe("secret");
  removeOwnedFolder(own, ["KEY", "missing"]);
  expect(readdirSync(base)).toEqual([]);
  expect(() => fstatSync(own.descriptor ?? -1)).toThrow("EBADF");
});

test("another user who sees the folder before it has its name cannot take that", () => {
  const base = folder();
  const takeNames = (descriptor: number): boolean => {
    const [name = ""] = readdirSync(base);
    const taken = `${name.slice(0, -6)}locked-${name.slice(-6)}`;
    mkdirSync(join(base, taken));
    writeFileSync(join(base, taken, "file"), "");
    return tryLock?.(descriptor) === true;
  };
  const own = makeOwnedFolder(base, takeNames);
  expect(own.path).toMatch(/-locked-[\da-f]{8}$/);
  removeOwnedFolder(own, []);
});

test("without the lock a folder is not named so", () => {
  for (const lock of [undefined, () => false]) {
    const own = makeOwnedFolder(folder(), lock);
    expect(own.path).toMatch(/-\d+-\w{6}$/);
    removeOwnedFolder(own, []);
  }
});

test("files are removed from the folder that was made, whoever has taken its path", () => {
  const base = folder();
  const own = makeOwnedFolder(base, tryLock);
  writeFileSync(join(own.inside, "KEY"), "secret");
  const other = folder({ KEY: "precious" });
  spawnSync("mv", [own.path, join(base, "moved")]);
  symlinkSync(other, own.path);
  removeOwnedFolder(own, ["KEY"]);
  expect(readFileSync(join(other, "KEY"), "utf8")).toBe("precious");
  expect(readdirSync(join(base, "moved"))).toEqual([]);
});

test("a folder with files cannot take the place of the one that was made", () => {
  const base = folder();
  // The lock is asked for once the folder is open; as if another user had been faster before that.
  const exchange = (): boolean => {
    const [name = ""] = readdirSync(base);
    writeFileSync(join(base, name, "precious"), "data");
    return true;
  };
  expect(() => makeOwnedFolder(base, exchange)).toThrow("ENOTEMPTY");
  const [name = ""] = readdirSync(base);
  expect(readFileSync(join(base, name, "precious"), "utf8")).toBe("data");
});

test("other names are ignored", () => {
  const names = [
    "sophia-run-test-x",
    "sophia-run-",
    `sophia-run-${here}-${beyond}-abcdef`,
    `x-sophia-run-${GONE}-a`,
    `sophia-run-${ELSEWHERE.replace("1-", "99999999999-")}-locked-abcdef`,
  ];
  for (const name of names) {
    const { base, path } = left(name);
    removeLeftovers(base, tryLock);
    expect(existsSync(path), name).toBe(true);
  }
});

test("no link to a folder is followed", () => {
  const { base: elsewhere, path } = left("precious");
  const base = folder();
  const link = join(base, `sophia-run-${ELSEWHERE}-locked-abcdef`);
  symlinkSync(path, link);
  removeLeftovers(base, tryLock);
  expect(readdirSync(elsewhere)).toEqual(["precious"]);
  expect(readFileSync(join(path, "KEY"), "utf8")).toBe("secret");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test("links inside are removed, not what they point to", () => {
  const { base, path } = left(`sophia-run-${ELSEWHERE}-locked-abcdef`);
  const target = join(folder({ precious: "data" }), "precious");
  symlinkSync(target, join(path, "link"));
  removeLeftovers(base, tryLock);
  expect(existsSync(path)).toBe(false);
  expect(readFileSync(target, "utf8")).toBe("data");
});

test("a folder inside stays", () => {
  const { base, path } = left(`sophia-run-${ELSEWHERE}-locked-abcdef`);
  mkdirSync(join(path, "inside"));
  writeFileSync(join(path, "inside", "file"), "data");
  removeLeftovers(base, tryLock);
  expect(readFileSync(join(path, "inside", "file"), "utf8")).toBe("data");
});

test("other users' folders, files and pipes stay, and nothing waits", ({ skip }) => {
  skip(process.geteuid?.() !== 0, "needs root, who can give a folder away");
  const base = folder();
  for (const mark of [`${GONE}-abcdef`, `${ELSEWHERE}-locked-abcdef`]) {
    const { path } = left(`sophia-run-${mark}`, base);
    chownSync(path, 12345, 12345);
    chmodSync(path, 0o777);
  }
  spawnSync("mkfifo", [join(base, `sophia-run-${ELSEWHERE}-locked-fifoxx`)]);
  writeFileSync(join(base, `sophia-run-${ELSEWHERE}-locked-filexx`), "data");
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toHaveLength(4);
  expect(readFileSync(join(base, `sophia-run-${GONE}-abcdef`, "KEY"), "utf8")).toBe("secret");
});

describe("where every user may rename folders", () => {
  test("nothing is removed on a disk: another user could have given a folder its name", () => {
    const { base, path } = left(`sophia-run-${ELSEWHERE}-locked-abcdef`);
    chmodSync(base, 0o777);
    removeLeftovers(base, tryLock);
    expect(existsSync(path)).toBe(true);
    chmodSync(base, 0o1777);
    removeLeftovers(base, tryLock);
    expect(existsSync(path)).toBe(false);
  });

  test("leftovers are removed in memory, as in an emptyDir of Kubernetes at /dev/shm", () => {
    const base = mkdtempSync("/dev/shm/sophia-run-test-");
    onTestFinished(() => rmSync(base, { recursive: true }));
    chmodSync(base, 0o777);
    const { path } = left(`sophia-run-${ELSEWHERE}-locked-abcdef`, base);
    removeLeftovers(base, tryLock);
    expect(existsSync(path)).toBe(false);
  });
});

test("nothing is removed on a file system that other machines may use", ({ skip }) => {
  // Neither of a disk nor in memory, and has folders.
  const base = folder();
  const mounted = spawnSync("mount", ["-t", "bpf", "bpf", base]);
  skip(mounted.status !== 0, "needs the right to mount a file system for BPF");
  onTestFinished(() => void spawnSync("umount", [base]));
  const names = [`sophia-run-${ELSEWHERE}-locked-abcdef`, `sophia-run-${GONE}-abcdef`];
  for (const name of names) mkdirSync(join(base, name));
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toEqual(expect.arrayContaining(names));
});

test("a missing folder is no error", () => {
  expect(() => removeLeftovers("/no/such/folder", tryLock)).not.toThrow();
});

test("a start looks at a thousand folders, and at ten thousand entries", () => {
  const base = folder();
  for (let number = 0; number < 1003; number += 1) mkdirSync(join(base, `sophia-run-1-${number}-1-locked-abcdef`));
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toHaveLength(3);
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toHaveLength(0);
  for (let number = 0; number < 10_003; number += 1) writeFileSync(join(base, String(number)), "");
  expect(new Set(entriesOf(base)).size).toBe(10_000);
});
