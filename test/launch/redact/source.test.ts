import { openSync } from "node:fs";
import { expect, it } from "vitest";
import { readFrom } from "../../../src/launch/redact/source.ts";

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
