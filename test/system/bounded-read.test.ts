import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readFound, readNamed } from "../../src/system/bounded-read.ts";
import { folder } from "../helpers/sophia.ts";

const textOf = async (path: string, maxBytes = 100, pipeWaitMs?: number): Promise<string> =>
  (await readNamed(path, { maxBytes, ...(pipeWaitMs === undefined ? {} : { pipeWaitMs }) })).toString();

function namedPipe(): string {
  const path = join(folder(), "pipe");
  execFileSync("mkfifo", [path]);
  return path;
}

test("a regular file, up to the limit", async () => {
  const cwd = folder({ full: "x".repeat(100), more: "x".repeat(101), empty: "" });
  await expect(textOf(join(cwd, "full"))).resolves.toBe("x".repeat(100));
  await expect(textOf(join(cwd, "empty"))).resolves.toBe("");
  await expect(textOf(join(cwd, "more"))).rejects.toMatchObject({ code: "TOO_LARGE" });
});

test("a file that claims to be empty, as those of /proc do", async () => {
  await expect(textOf("/proc/self/comm")).resolves.toMatch(/^\S+.*\n$/);
  await expect(textOf("/proc/self/environ", 3)).rejects.toMatchObject({ code: "TOO_LARGE" });
});

test("the null device is an empty file; other devices, links to them, sockets and folders are refused", async () => {
  const cwd = folder();
  symlinkSync("/dev/zero", join(cwd, "zero"));
  const server = createServer().listen(join(cwd, "socket"));
  onTestFinished(() => void server.close());
  await once(server, "listening");
  await expect(textOf("/dev/null")).resolves.toBe("");
  await expect(textOf("/dev/zero")).rejects.toMatchObject({ code: "NOT_A_FILE" });
  await expect(textOf(join(cwd, "zero"))).rejects.toMatchObject({ code: "NOT_A_FILE" });
  await expect(textOf(join(cwd, "socket"))).rejects.toMatchObject({ code: "ENXIO" });
  await expect(textOf(cwd)).rejects.toMatchObject({ code: "EISDIR" });
  await expect(textOf(join(cwd, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a named pipe, to its end, even if its writer comes later", async () => {
  const path = namedPipe();
  const read = textOf(path);
  const writer = spawn("sh", ["-c", 'printf "one " >"$1"', "sh", path]);
  const closed = once(writer, "close");
  await expect(read).resolves.toBe("one ");
  await closed;
});

test("a pipe that does not end, that has no writer or that gives too much", async () => {
  const path = namedPipe();
  await expect(textOf(path, 100, 50)).rejects.toMatchObject({ code: "NO_END" });
  const writer = spawn("sh", ["-c", 'exec 3<>"$1"; printf x >&3; echo open; read line', "sh", path]);
  onTestFinished(() => void writer.kill());
  await once(writer.stdout, "data");
  await expect(textOf(path, 100, 50)).rejects.toMatchObject({ code: "NO_END" });
  writer.stdin.end();
  const flood = spawn("sh", ["-c", 'exec yes >"$1"', "sh", path]);
  onTestFinished(() => void flood.kill());
  await expect(textOf(path)).rejects.toMatchObject({ code: "TOO_LARGE" });
});

describe("a file that was found", () => {
  const textOfFound = (path: string): string => readFound(path, { maxBytes: 100 }).toString();

  test("is a regular file, or a link to one", () => {
    const cwd = folder({ file: "x", full: "x".repeat(101) });
    symlinkSync("file", join(cwd, "link"));
    expect([textOfFound(join(cwd, "file")), textOfFound(join(cwd, "link")), textOfFound("/dev/null")]).toEqual([
      "x",
      "x",
      "",
    ]);
    expect(() => textOfFound(join(cwd, "full"))).toThrow(expect.objectContaining({ code: "TOO_LARGE" }));
    const accept = (): boolean => false;
    expect(() => readFound(join(cwd, "file"), { maxBytes: 100, accept })).toThrow(
      expect.objectContaining({ code: "NOT_ACCEPTED" }),
    );
  });

  test("is no folder, and is absent where nothing is", () => {
    const cwd = folder();
    expect(() => textOfFound(cwd)).toThrow(expect.objectContaining({ code: "EISDIR" }));
    expect(() => textOfFound(join(cwd, "none"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  test("is not opened if it is a pipe, whose writer would see that, a socket or a device", async () => {
    const pipe = namedPipe();
    // It ends once a process has opened the pipe to read it.
    const writer = spawn("sh", ["-c", 'echo waits; exec 3>"$1"', "sh", pipe]);
    onTestFinished(() => void writer.kill("SIGKILL"));
    await once(writer.stdout, "data");
    const cwd = folder();
    symlinkSync("/dev/zero", join(cwd, "zero"));
    const server = createServer().listen(join(cwd, "socket"));
    onTestFinished(() => void server.close());
    await once(server, "listening");
    for (const path of [pipe, join(cwd, "zero"), join(cwd, "socket")]) {
      expect(() => textOfFound(path)).toThrow(expect.objectContaining({ code: "NOT_REGULAR" }));
    }
    // Its end would have been seen by now.
    await once(spawn("true"), "close");
    expect(writer.exitCode).toBeNull();
  });
});
