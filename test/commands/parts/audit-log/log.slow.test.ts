import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendToAuditLog } from "../../../../src/commands/parts/audit-log/log-file.ts";
import { SophiaError } from "../../../../src/core/error.ts";
import { folder, sophia } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";

const LIMIT = 5 * 1024 * 1024;

test("the audit log and its folder belong to the user alone, and lines are appended", () => {
  const log = join(folder(), "state/sophia-run/audit.jsonl");
  appendToAuditLog(log, "one\n");
  appendToAuditLog(log, "two\n");
  expect(readFileSync(log, "utf8")).toBe("one\ntwo\n");
  expect(statSync(log).mode & 0o777).toBe(0o600);
  expect(statSync(join(log, "..")).mode & 0o777).toBe(0o700);
});

test("the audit log completes an incomplete last line by a line break first", () => {
  const log = join(folder({ log: '{"version":1,"ti' }), "log");
  chmodSync(log, 0o600);
  appendToAuditLog(log, "{}\n");
  expect(readFileSync(log, "utf8")).toBe('{"version":1,"ti\n{}\n');
});

test.each<[string, (log: string) => void, string]>([
  ["a symbolic link", (log) => symlinkSync("/dev/null", log), "symbolic link"],
  ["a link that leads nowhere", (log) => symlinkSync(`${log}-missing`, log), "symbolic link"],
  ["a folder", (log) => mkdirSync(log), "regular file"],
  ["a pipe", (log) => spawnSync("mkfifo", [log]), "regular file"],
  ["a file that the group may write", (log) => writeWithMode(log, 0o620), "other users"],
  ["a world-writable file", (log) => writeWithMode(log, 0o602), "other users"],
])("%s is refused as an audit log and not changed", (_, make, problem) => {
  const cwd = folder();
  const log = join(cwd, "log");
  make(log);
  const { message, hint } = failureOf(log);
  expect(message).toContain(problem);
  expectWording(`${message}\n${hint}`);
  expect(readdirSync(cwd)).toEqual(["log"]);
  if (statSync(log, { throwIfNoEntry: false })?.isFile() === true) expect(readFileSync(log, "utf8")).toBe("");
});

test("an audit log of another user is refused, and root's is not", ({ skip }) => {
  skip(process.geteuid?.() !== 0, "needs root, to give files to others");
  const cwd = folder();
  chmodSync(cwd, 0o755);
  const log = join(cwd, "log");
  writeWithMode(log, 0o600);
  chownSync(log, 4102, 4102);
  expect(failureOf(log).message).toContain("uid 4102");
  expect(readFileSync(log, "utf8")).toBe("");
  chownSync(log, 0, 0);
  appendToAuditLog(log, "line\n");
  expect(readFileSync(log, "utf8")).toBe("line\n");
});

test("a device, and a folder that cannot be made, are refused as an audit log", () => {
  expect(failureOf("/dev/full").message).toContain("regular file");
  expect(failureOf("/dev/null/log").message).toContain("ENOTDIR");
});

test("a full audit log is renamed, and the oldest renamed logs are removed", () => {
  const cwd = folder();
  const log = join(cwd, "log");
  const old = ["20200101T000000000Z-00000000", "20210101T000000000Z-00000000", "20220101T000000000Z-00000000"];
  for (const name of old) writeFileSync(`${log}.${name}`, "x".repeat(9 * 1024 * 1024));
  writeFileSync(`${log}.notes`, "mine");
  writeWithMode(log, 0o600, "x".repeat(LIMIT - 4));
  appendToAuditLog(log, "one\n");
  expect(readdirSync(cwd)).toHaveLength(5);
  appendToAuditLog(log, "two\n");
  expect(readFileSync(log, "utf8")).toBe("two\n");
  expect(statSync(log).mode & 0o777).toBe(0o600);
  const [aside, ...others] = readdirSync(cwd)
    .filter((name) => /^log\.\d{8}T\d{9}Z-/.test(name))
    .toReversed();
  expect(statSync(join(cwd, aside ?? "")).size).toBe(LIMIT + 1);
  // Of 5 + 9 + 9 + 9 MiB the latest 20 are kept.
  expect(others).toEqual([`log.${old[2]}`]);
  expect(readFileSync(`${log}.notes`, "utf8")).toBe("mine");
});

describe("a large file that is named like a renamed log is neither counted nor removed if it is", () => {
  const expectOthersKept = (make: (path: string) => void): void => {
    const cwd = folder();
    const log = join(cwd, "log");
    make(`${log}.99991231T000000000Z-00000000`);
    writeFileSync(`${log}.20200101T000000000Z-00000000`, "old");
    writeWithMode(log, 0o600, "x".repeat(LIMIT));
    appendToAuditLog(log, "line\n");
    expect(readdirSync(cwd)).toHaveLength(4);
    expect(readFileSync(`${log}.20200101T000000000Z-00000000`, "utf8")).toBe("old");
  };
  const writeLarge = (path: string): void => {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 40);
  };

  test("a link", () => {
    const target = join(folder(), "large");
    writeLarge(target);
    expectOthersKept((path) => symlinkSync(target, path));
  });

  test("a file of another user", ({ skip }) => {
    skip(process.geteuid?.() !== 0, "needs root, to give files to others");
    expectOthersKept((path) => {
      writeLarge(path);
      chownSync(path, 4102, 4102);
    });
  });
});

test("the audit log accepts a line that is longer than the limit", () => {
  const cwd = folder();
  const log = join(cwd, "log");
  appendToAuditLog(log, `${"x".repeat(LIMIT)}\n`);
  expect(readdirSync(cwd)).toEqual(["log"]);
});

test("simultaneous starts lose and mix no lines of the audit log, even while it is renamed", async () => {
  const cwd = folder();
  const log = join(cwd, "log");
  const filler = `${JSON.stringify({ filler: "x".repeat(1000) })}\n`;
  writeWithMode(log, 0o600, filler.repeat(Math.floor((LIMIT - 2000) / filler.length)));
  const before = readFileSync(log, "utf8").split("\n").length - 1;
  const reasons = Array.from({ length: 12 }, (_, index) => `start ${index}`);
  const result = await Promise.all(
    reasons.map((reason) => sophia(["--no-contract", "--audit-log", log, "--reason", reason, "--", "true"], { cwd })),
  );
  expect(result.map(({ status }) => status)).toEqual(reasons.map(() => 0));
  const files = readdirSync(cwd).filter((name) => name.startsWith("log"));
  const lines = files.flatMap((name) => readFileSync(join(cwd, name), "utf8").split("\n").slice(0, -1));
  expect(files.length).toBeGreaterThan(1);
  expect(lines).toHaveLength(before + reasons.length);
  const recorded = lines.map((line) => {
    const { reason }: { readonly reason?: string } = JSON.parse(line);
    return reason;
  });
  expect(recorded.filter((reason) => reason !== undefined).toSorted()).toEqual(reasons.toSorted());
});

function failureOf(log: string): SophiaError {
  try {
    appendToAuditLog(log, "line\n");
  } catch (error) {
    if (error instanceof SophiaError && error.code === "audit") return error;
    throw error;
  }
  throw new Error("the line was written");
}

function writeWithMode(path: string, mode: number, text = ""): void {
  writeFileSync(path, text);
  chmodSync(path, mode);
}
