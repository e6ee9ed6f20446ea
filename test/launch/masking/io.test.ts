import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { writeAll } from "../../../src/launch/masking/io.ts";
import { folder } from "../../helpers/sophia.ts";

/** Opens a pipe whose descriptor never blocks, as another process may leave it. The same descriptor reads and writes. */
function openPipe(): number {
  const path = join(folder({}), "pipe");
  execFileSync("mkfifo", [path]);
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(descriptor));
  return descriptor;
}

test("a write to a full pipe is repeated after pauses that double up to 16 ms, and loses nothing", async () => {
  const pipe = openPipe();
  const text = Buffer.alloc(300_000, "0123456789");
  const read: Buffer[] = [];
  const pauses: number[] = [];
  const { setTimeout } = globalThis;
  const setTimeoutAtOnce = vi.spyOn(globalThis, "setTimeout").mockImplementation((callback, delay) => {
    pauses.push(delay ?? 0);
    // The reader comes after some pauses, and leaves the pipe empty.
    if (pauses.length % 8 === 0) {
      const buffer = Buffer.alloc(text.length);
      read.push(buffer.subarray(0, readSync(pipe, buffer)));
    }
    return setTimeout(callback, 0);
  });
  onTestFinished(() => setTimeoutAtOnce.mockRestore());
  expect(await writeAll(pipe, text)).toBeUndefined();
  const rest = Buffer.alloc(text.length);
  read.push(rest.subarray(0, readSync(pipe, rest)));
  expect(Buffer.concat(read).equals(text)).toBe(true);
  expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 16, 16, 16]);
  // Once bytes were written, the pauses begin again.
  expect(pauses.slice(8, 10)).toEqual([1, 2]);
});
