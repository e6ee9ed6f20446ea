import { openSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readFrom } from "../../../src/launch/redact/source.ts";
import { folder } from "../../helpers/sophia.ts";

it("reports the end once if a stream that was read to its end is closed", async () => {
  const forgotten: number[] = [];
  const watcher = { whenReadable: () => {}, whenUnread: () => {}, forget: (one: number) => void forgotten.push(one) };
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

it("reads one chunk while another is passed on, and not in its memory", async () => {
  const chunks = Buffer.concat(["a", "b", "c"].map((letter) => Buffer.alloc(262_144, letter)));
  const file = join(folder({ chunks }), "chunks");
  let read = (): void => {};
  const whenReadable = (_: number, callback: () => void): void => void (read = callback);
  const source = readFrom(openSync(file, "r"), { whenReadable, whenUnread: () => {}, forget: () => {} });
  const taken: { readonly chunk: Uint8Array; readonly pass: () => void }[] = [];
  const ended = new Promise<void>((resolve) => {
    source.start((chunk) => new Promise((pass) => void taken.push({ chunk, pass })), resolve);
  });
  const letters = async (): Promise<string> => {
    // Longer than promises take.
    await new Promise((resolve) => setImmediate(resolve));
    return taken.map(({ chunk }) => String.fromCharCode(chunk[0] ?? 0, chunk.at(-1) ?? 0)).join(" ");
  };
  read();
  expect(await letters()).toBe("aa bb");
  taken[0]?.pass();
  expect(await letters()).toBe("cc bb cc");
  taken[1]?.pass();
  taken[2]?.pass();
  await ended;
});
