import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readFoundFile, readNamedFile } from "../../src/system/bounded-read.ts";
import { folder } from "../helpers/sophia.ts";

const readText = async (path: string, maxBytes = 100, pipeWaitMs?: number): Promise<string> =>
  (await readNamedFile(path, { maxBytes, ...(pipeWaitMs === undefined ? {} : { pipeWaitMs }) })).toString();

function makeNamedPipe(): string {
  const path = join(folder(), "pipe");
  execFileSync("mkfifo", [path]);
  return path;
}

test("readNamedFile reads a regular file up to the limit, and fails beyond it", async () => {
  const cwd = folder({ full: "x".repeat(100), more: "x".repeat(101), empty: "" });
  await expect(readText(join(cwd, "full"))).resolves.toBe("x".repeat(100));
  await expect(readText(join(cwd, "empty"))).resolves.toBe("");
  await expect(readText(join(cwd, "more"))).rejects.toMatchObject({ code: "TOO_LARGE" });
});

test("readNamedFile reads a file whose size is reported as 0, like the files of /proc", async () => {
  await expect(readText("/proc/self/comm")).resolves.toMatch(/^\S+.*\n$/);
  await expect(readText("/proc/self/environ", 3)).rejects.toMatchObject({ code: "TOO_LARGE" });
});

test("readNamedFile reads the null device as an empty file, and refuses other devices, sockets and folders", async () => {
  const cwd = folder();
  symlinkSync("/dev/zero", join(cwd, "zero"));
  const server = createServer().listen(join(cwd, "socket"));
  onTestFinished(() => void server.close());
  await once(server, "listening");
  await expect(readText("/dev/null")).resolves.toBe("");
  await expect(readText("/dev/zero")).rejects.toMatchObject({ code: "NOT_A_FILE" });
  await expect(readText(join(cwd, "zero"))).rejects.toMatchObject({ code: "NOT_A_FILE" });
  await expect(readText(join(cwd, "socket"))).rejects.toMatchObject({ code: "ENXIO" });
  await expect(readText(cwd)).rejects.toMatchObject({ code: "EISDIR" });
  await expect(readText(join(cwd, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("readNamedFile reads a named pipe to its end, even if the writer opens it later", async () => {
  const path = makeNamedPipe();
  const read = readText(path);
  const writer = spawn("sh", ["-c", 'printf "one " >"$1"', "sh", path]);
  const closed = once(writer, "close");
  await expect(read).resolves.toBe("one ");
  await closed;
});

test("readNamedFile refuses a pipe that does not end, that has no writer or that has too many bytes", async () => {
  const path = makeNamedPipe();
  await expect(readText(path, 100, 50)).rejects.toMatchObject({ code: "NO_END" });
  const writer = spawn("sh", ["-c", 'exec 3<>"$1"; printf x >&3; echo open; read line', "sh", path]);
  onTestFinished(() => void writer.kill());
  await once(writer.stdout, "data");
  await expect(readText(path, 100, 50)).rejects.toMatchObject({ code: "NO_END" });
  writer.stdin.end();
  const flood = spawn("sh", ["-c", 'exec yes >"$1"', "sh", path]);
  onTestFinished(() => void flood.kill());
  await expect(readText(path)).rejects.toMatchObject({ code: "TOO_LARGE" });
});

describe("readFoundFile", () => {
  const readFoundText = (path: string): string => readFoundFile(path, { maxBytes: 100 }).toString();

  test("reads a regular file, or a link to a regular file, up to the limit", () => {
    const cwd = folder({ file: "x", full: "x".repeat(101) });
    symlinkSync("file", join(cwd, "link"));
    expect([readFoundText(join(cwd, "file")), readFoundText(join(cwd, "link")), readFoundText("/dev/null")]).toEqual([
      "x",
      "x",
      "",
    ]);
    expect(() => readFoundText(join(cwd, "full"))).toThrow(expect.objectContaining({ code: "TOO_LARGE" }));
    const accept = (): boolean => false;
    expect(() => readFoundFile(join(cwd, "file"), { maxBytes: 100, accept })).toThrow(
      expect.objectContaining({ code: "NOT_ACCEPTED" }),
    );
  });

  test("refuses a folder, and a file that does not exist", () => {
    const cwd = folder();
    expect(() => readFoundText(cwd)).toThrow(expect.objectContaining({ code: "EISDIR" }));
    expect(() => readFoundText(join(cwd, "none"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  test("does not open a pipe, whose writer would notice the opening, a socket or a device", async () => {
    const pipe = makeNamedPipe();
    // The writer ends once a process has opened the pipe to read it.
    const writer = spawn("sh", ["-c", 'echo waits; exec 3>"$1"', "sh", pipe]);
    onTestFinished(() => void writer.kill("SIGKILL"));
    await once(writer.stdout, "data");
    const cwd = folder();
    symlinkSync("/dev/zero", join(cwd, "zero"));
    const server = createServer().listen(join(cwd, "socket"));
    onTestFinished(() => void server.close());
    await once(server, "listening");
    for (const path of [pipe, join(cwd, "zero"), join(cwd, "socket")]) {
      expect(() => readFoundText(path)).toThrow(expect.objectContaining({ code: "NOT_REGULAR" }));
    }
    // Another process has started and ended, so the end of the writer would have been noticed by now.
    await once(spawn("true"), "close");
    expect(writer.exitCode).toBeNull();
  });
});
