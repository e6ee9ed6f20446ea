/** Which secret files of a killed sophia-run the next start removes, and what it must not remove. */
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
import { listEntries, makeOwnedFolder, removeOwnedFolder } from "../../../src/launch/spawn/owned-folder.ts";
import { loadAddonFile } from "../../../src/system/addon/addon.ts";
import { missingCommand, noAddon, notLinux, skipBecause } from "../../helpers/skip.ts";
import { addon, folder } from "../../helpers/sophia.ts";

skipBecause(notLinux ?? noAddon ?? missingCommand("flock"));

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/monitor/monitor-addon.c defines these functions
const monitorAddon = loadAddonFile(addon.replace(/\.node$/, "-monitor.node")) as MonitorAddon | undefined;
const tryLock = monitorAddon?.tryLock;

const pidNamespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
const startTime = readProcessStat("self")?.startTime ?? "0";
const UNUSED_PID = 2 ** 30; // the largest PID of Linux is 2^22
const ENDED_PROCESS = `${pidNamespace}-${UNUSED_PID}-1`;
const OTHER_NAMESPACE = "1-7-1234";

/** Makes a base folder with one folder of a launcher, which holds a secret file. */
function makeLeftover(name: string, base = folder()): { base: string; path: string } {
  const path = join(base, name);
  mkdirSync(path);
  writeFileSync(join(path, "KEY"), "secret");
  return { base, path };
}

/** Starts a process that holds the lock of a folder until the test ends. */
async function holdLock(path: string): Promise<void> {
  const holder = spawn("flock", ["--exclusive", path, "sh", "-c", "echo; read line"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.stdin.end());
  await once(holder.stdout, "data");
}

describe.each([
  [
    "a locked folder whose lock is free",
    `sophia-run-${OTHER_NAMESPACE}-locked-abcdef`,
    { isHeld: false, isRemoved: true },
  ],
  [
    "a locked folder whose lock is held",
    `sophia-run-${OTHER_NAMESPACE}-locked-abcdef`,
    { isHeld: true, isRemoved: false },
  ],
  [
    "a folder of a version without the lock",
    `sophia-run-${OTHER_NAMESPACE}-abcdef`,
    { isHeld: false, isRemoved: false },
  ],
  ["a folder whose random end is locked", `sophia-run-${OTHER_NAMESPACE}-locked`, { isHeld: false, isRemoved: false }],
])("if a launcher of another PID namespace has left %s, a start", (_, name, { isHeld, isRemoved }) => {
  test("removes it unless its launcher may still run", async () => {
    const { base, path } = makeLeftover(name);
    if (isHeld) await holdLock(path);
    removeLeftovers(base, tryLock);
    expect(existsSync(join(path, "KEY"))).toBe(!isRemoved);
    expect(existsSync(path)).toBe(!isRemoved);
  });

  test("leaves it alone without the addon", () => {
    const { base, path } = makeLeftover(name);
    removeLeftovers(base, undefined);
    expect(readFileSync(join(path, "KEY"), "utf8")).toBe("secret");
  });
});

test.each([
  ["a process that has ended", ENDED_PROCESS, false],
  ["a process that has ended, whose PID another process has now", `${pidNamespace}-${process.pid}-1`, false],
  ["a living process", `${pidNamespace}-${process.pid}-${startTime}`, true],
  ["a living process whose start is unknown", `${pidNamespace}-${process.pid}-0`, true],
  ["PID 0", `${pidNamespace}-0-1`, true],
  ["a PID that no system has", `${pidNamespace}-9999999999-1`, false],
])(
  "a start removes the folder of a process of its PID namespace unless the process may still run: the folder of %s",
  async (_, mark, stays) => {
    const [unlocked, free, held] = ["abcdef", "locked-abcdef", "locked-ghijkl"].map(
      (end) => `sophia-run-${mark}-${end}`,
    );
    for (const lock of [tryLock, undefined]) {
      const base = folder();
      for (const name of [unlocked, free]) makeLeftover(name ?? "", base);
      removeLeftovers(base, lock);
      expect(readdirSync(base)).toEqual(stays ? [unlocked, free] : []);
    }
    const { base, path } = makeLeftover(held ?? "");
    await holdLock(path);
    removeLeftovers(base, tryLock);
    expect(readdirSync(base)).toEqual([held]);
  },
);

test("the folder that a launcher makes is locked, and is removed with its lock", () => {
  const base = folder();
  const ownedFolder = makeOwnedFolder(base, tryLock);
  expect(ownedFolder.path).toMatch(
    new RegExp(`^${base}/sophia-run-${pidNamespace}-${process.pid}-${startTime}-locked-[\\da-f]{8}$`),
  );
  const isFree = (): boolean => spawnSync("flock", ["--nonblock", ownedFolder.path, "true"]).status === 0;
  expect(isFree()).toBe(false);
  writeFileSync(join(ownedFolder.inside, "KEY"), "secret");
  expect(readFileSync(join(ownedFolder.path, "KEY"), "utf8")).toBe("secret");
  removeOwnedFolder(ownedFolder, ["KEY", "missing"]);
  expect(readdirSync(base)).toEqual([]);
  expect(() => fstatSync(ownedFolder.descriptor ?? -1)).toThrow("EBADF");
});

test("another user who sees the folder before it is renamed cannot take its new name", () => {
  const base = folder();
  const takeNames = (descriptor: number): boolean => {
    const [name = ""] = readdirSync(base);
    const takenName = `${name.slice(0, -6)}locked-${name.slice(-6)}`;
    mkdirSync(join(base, takenName));
    writeFileSync(join(base, takenName, "file"), "");
    return tryLock?.(descriptor) === true;
  };
  const ownedFolder = makeOwnedFolder(base, takeNames);
  expect(ownedFolder.path).toMatch(/-locked-[\da-f]{8}$/);
  removeOwnedFolder(ownedFolder, []);
});

test("a folder that cannot be locked does not have `locked` in its name", () => {
  for (const lock of [undefined, () => false]) {
    const ownedFolder = makeOwnedFolder(folder(), lock);
    expect(ownedFolder.path).toMatch(/-\d+-\w{6}$/);
    removeOwnedFolder(ownedFolder, []);
  }
});

test("a launcher removes its files from the folder that it has made, even if the path leads to another folder now", () => {
  const base = folder();
  const ownedFolder = makeOwnedFolder(base, tryLock);
  writeFileSync(join(ownedFolder.inside, "KEY"), "secret");
  const otherFolder = folder({ KEY: "precious" });
  spawnSync("mv", [ownedFolder.path, join(base, "moved")]);
  symlinkSync(otherFolder, ownedFolder.path);
  removeOwnedFolder(ownedFolder, ["KEY"]);
  expect(readFileSync(join(otherFolder, "KEY"), "utf8")).toBe("precious");
  expect(readdirSync(join(base, "moved"))).toEqual([]);
});

test("a launcher refuses a folder with files that has taken the place of the folder that it made", () => {
  const base = folder();
  // The lock is taken once the folder is open. The file stands for a folder of another user, who was faster than the opening.
  const exchange = (): boolean => {
    const [name = ""] = readdirSync(base);
    writeFileSync(join(base, name, "precious"), "data");
    return true;
  };
  expect(() => makeOwnedFolder(base, exchange)).toThrow("ENOTEMPTY");
  const [name = ""] = readdirSync(base);
  expect(readFileSync(join(base, name, "precious"), "utf8")).toBe("data");
});

test("a start leaves folders with other names alone", () => {
  const names = [
    "sophia-run-test-x",
    "sophia-run-",
    `sophia-run-${pidNamespace}-${UNUSED_PID}-abcdef`,
    `x-sophia-run-${ENDED_PROCESS}-a`,
    `sophia-run-${OTHER_NAMESPACE.replace("1-", "99999999999-")}-locked-abcdef`,
  ];
  for (const name of names) {
    const { base, path } = makeLeftover(name);
    removeLeftovers(base, tryLock);
    expect(existsSync(path), name).toBe(true);
  }
});

test("a start does not follow a link to a folder", () => {
  const { base: elsewhere, path } = makeLeftover("precious");
  const base = folder();
  const link = join(base, `sophia-run-${OTHER_NAMESPACE}-locked-abcdef`);
  symlinkSync(path, link);
  removeLeftovers(base, tryLock);
  expect(readdirSync(elsewhere)).toEqual(["precious"]);
  expect(readFileSync(join(path, "KEY"), "utf8")).toBe("secret");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test("a start removes links in a leftover folder, but not the files to which they lead", () => {
  const { base, path } = makeLeftover(`sophia-run-${OTHER_NAMESPACE}-locked-abcdef`);
  const target = join(folder({ precious: "data" }), "precious");
  symlinkSync(target, join(path, "link"));
  removeLeftovers(base, tryLock);
  expect(existsSync(path)).toBe(false);
  expect(readFileSync(target, "utf8")).toBe("data");
});

test("a start leaves a folder in a leftover folder alone", () => {
  const { base, path } = makeLeftover(`sophia-run-${OTHER_NAMESPACE}-locked-abcdef`);
  mkdirSync(join(path, "inside"));
  writeFileSync(join(path, "inside", "file"), "data");
  removeLeftovers(base, tryLock);
  expect(readFileSync(join(path, "inside", "file"), "utf8")).toBe("data");
});

test("a start leaves other users' folders alone, and files and pipes, for which it does not wait", ({ skip }) => {
  skip(process.geteuid?.() !== 0, "needs root, who can make another user the owner of a folder");
  const base = folder();
  for (const mark of [`${ENDED_PROCESS}-abcdef`, `${OTHER_NAMESPACE}-locked-abcdef`]) {
    const { path } = makeLeftover(`sophia-run-${mark}`, base);
    chownSync(path, 12345, 12345);
    chmodSync(path, 0o777);
  }
  spawnSync("mkfifo", [join(base, `sophia-run-${OTHER_NAMESPACE}-locked-fifoxx`)]);
  writeFileSync(join(base, `sophia-run-${OTHER_NAMESPACE}-locked-filexx`), "data");
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toHaveLength(4);
  expect(readFileSync(join(base, `sophia-run-${ENDED_PROCESS}-abcdef`, "KEY"), "utf8")).toBe("secret");
});

describe("in a folder in which every user may rename folders, a start", () => {
  test("removes nothing on a disk, since another user could have named a folder like a leftover", () => {
    const { base, path } = makeLeftover(`sophia-run-${OTHER_NAMESPACE}-locked-abcdef`);
    chmodSync(base, 0o777);
    removeLeftovers(base, tryLock);
    expect(existsSync(path)).toBe(true);
    chmodSync(base, 0o1777);
    removeLeftovers(base, tryLock);
    expect(existsSync(path)).toBe(false);
  });

  test("removes leftovers in memory, as in an emptyDir of Kubernetes at /dev/shm", () => {
    const base = mkdtempSync("/dev/shm/sophia-run-test-");
    onTestFinished(() => rmSync(base, { recursive: true }));
    chmodSync(base, 0o777);
    const { path } = makeLeftover(`sophia-run-${OTHER_NAMESPACE}-locked-abcdef`, base);
    removeLeftovers(base, tryLock);
    expect(existsSync(path)).toBe(false);
  });
});

test("a start removes nothing on a file system that other machines may use", ({ skip }) => {
  // The file system for BPF is neither on a disk nor of a kind that sophia-run knows to be in memory, and it has folders.
  const base = folder();
  const mounted = spawnSync("mount", ["-t", "bpf", "bpf", base]);
  skip(mounted.status !== 0, "needs the right to mount a file system for BPF");
  onTestFinished(() => void spawnSync("umount", [base]));
  const names = [`sophia-run-${OTHER_NAMESPACE}-locked-abcdef`, `sophia-run-${ENDED_PROCESS}-abcdef`];
  for (const name of names) mkdirSync(join(base, name));
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toEqual(expect.arrayContaining(names));
});

test("a start accepts that the folder for secret files does not exist", () => {
  expect(() => removeLeftovers("/no/such/folder", tryLock)).not.toThrow();
});

test("a start checks at most a thousand leftover folders, and at most ten thousand entries", () => {
  const base = folder();
  for (let number = 0; number < 1003; number += 1) mkdirSync(join(base, `sophia-run-1-${number}-1-locked-abcdef`));
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toHaveLength(3);
  removeLeftovers(base, tryLock);
  expect(readdirSync(base)).toHaveLength(0);
  for (let number = 0; number < 10_003; number += 1) writeFileSync(join(base, String(number)), "");
  expect(new Set(listEntries(base)).size).toBe(10_000);
});
