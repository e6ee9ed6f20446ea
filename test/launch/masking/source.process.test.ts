import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { MaskingAddon } from "../../../src/launch/masking/masking-addon.ts";
import { readFrom } from "../../../src/launch/masking/source.ts";
import { loadAddonFile } from "../../../src/system/addon/addon.ts";
import { addon, folder } from "../../helpers/sophia.ts";

const idleWatcher = { whenReadable: () => {}, whenUnread: () => {}, forget: () => {}, close: () => 0 };

it("a source reports the end once, even if a stream that was read to its end is closed", async () => {
  const forgotten: number[] = [];
  const watcher = { ...idleWatcher, close: (closedDescriptor: number) => forgotten.push(closedDescriptor) };
  const descriptor = openSync("/dev/null", "r");
  const source = readFrom(descriptor, watcher);
  let ends = 0;
  source.start(
    async () => {},
    () => (ends += 1),
  );
  expect(await source.drain()).toBe(true);
  source.close();
  source.close();
  await Promise.resolve();
  expect({ ends, forgotten }).toStrictEqual({ ends: 1, forgotten: [descriptor] });
});

it("a source drains at most 1 MiB, so that a writer that does not stop cannot hold up the end", async () => {
  const file = join(folder({ bytes: Buffer.alloc(1_572_864, "x") }), "bytes");
  const source = readFrom(openSync(file, "r"), idleWatcher);
  let takenLength = 0;
  source.start(
    async (chunk) => void (takenLength += chunk.length),
    () => {},
  );
  expect(await source.drain()).toBe(false);
  expect(takenLength).toBe(1_048_576);
  source.close();
});

it.skipIf(!existsSync(addon))("closeReading returns the number of bytes that were written since the last read", () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines these functions
  const compiled = loadAddonFile(addon.replace(/\.node$/, "-masking.node")) as MaskingAddon;
  const ends = compiled.makePipe();
  if (typeof ends === "number") throw new Error(`no pipe: ${ends}`);
  const [reading, writing] = ends;
  writeSync(writing, "read");
  expect(readSync(reading, Buffer.alloc(9))).toBe(4);
  writeSync(writing, "lost");
  expect(compiled.closeReading(reading)).toBe(4);
  expect(() => writeSync(writing, "x")).toThrow("EPIPE");
  closeSync(writing);
  expect(compiled.closeReading(openSync(import.meta.filename, "r"))).toBe(0);
});

it("a source reads one chunk ahead while another is passed on, and into other memory", async () => {
  const chunks = Buffer.concat(["a", "b", "c"].map((letter) => Buffer.alloc(262_144, letter)));
  const file = join(folder({ chunks }), "chunks");
  let read = (): void => {};
  const whenReadable = (_: number, callback: () => void): void => void (read = callback);
  const source = readFrom(openSync(file, "r"), { ...idleWatcher, whenReadable });
  const passedChunks: { readonly chunk: Uint8Array; readonly pass: () => void }[] = [];
  const ended = new Promise<void>((resolve) => {
    source.start((chunk) => new Promise((pass) => void passedChunks.push({ chunk, pass })), resolve);
  });
  const describeChunks = async (): Promise<string> => {
    // setImmediate runs after all promises that can be settled.
    await new Promise((resolve) => setImmediate(resolve));
    return passedChunks.map(({ chunk }) => String.fromCharCode(chunk[0] ?? 0, chunk.at(-1) ?? 0)).join(" ");
  };
  read();
  expect(await describeChunks()).toBe("aa bb");
  passedChunks[0]?.pass();
  expect(await describeChunks()).toBe("cc bb cc");
  passedChunks[1]?.pass();
  passedChunks[2]?.pass();
  await ended;
});
