import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { startPump } from "../../../src/launch/redact/pump.ts";
import type { Source } from "../../../src/launch/redact/source.ts";
import { maskingOf } from "../../../src/masking/masking.ts";
import { folder } from "../../helpers/sophia.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A pump to a file from a program whose chunks the test writes. */
function pumpOf(secret: string) {
  const file = join(folder(), "out");
  const target = openSync(file, "w");
  onTestFinished(() => closeSync(target));
  const written: { take: (chunk: Uint8Array) => Promise<void> } = {
    take: () => Promise.reject(new Error("not started")),
  };
  const source: Source = {
    descriptor: undefined,
    start: (take) => void (written.take = take),
    drain: () => Promise.resolve(false),
    resume: () => {},
    close: () => 0,
  };
  const ignore = (): void => {};
  let shown = ignore;
  const wrote = (): Promise<void> => Promise.resolve(shown());
  const events = { masked: ignore, wrote, failed: ignore, ended: ignore };
  startPump(source, target, maskingOf([{ name: "KEY", value: secret }]).stream(), events);
  return {
    write: (text: string) => written.take(Buffer.from(text)),
    /** Lets time pass, after which something is passed on. */
    passUntilShown: async (ms: number): Promise<void> => {
      const next = new Promise<void>((resolve) => (shown = resolve));
      vi.advanceTimersByTime(ms);
      await next;
    },
    output: () => readFileSync(file, "utf8"),
  };
}

test.each([
  ["the end of a message", "}}-a-key-of-a-service", '{"id":1,"result":{"a":1}}', '{"id":1,"result":{"a":1'],
  ["seven characters", "correct-horse", "x correct", "x "],
  ["seven characters of several bytes", "ÄÖÜäöüßÄÖÜ", "x ÄÖÜäöüß", "x "],
])("%s is passed on after 50 ms, although it may begin a secret", async (_, secret, text, before) => {
  const { write, passUntilShown, output } = pumpOf(secret);
  await write(text);
  vi.advanceTimersByTime(49);
  expect(output()).toBe(before);
  await passUntilShown(1);
  expect(output()).toBe(text);
});

test("eight characters of a secret are held until the program writes more", async () => {
  const { write, output } = pumpOf("correct-horse");
  await write("x correct-");
  vi.advanceTimersByTime(60_000);
  expect(output()).toBe("x ");
  await write("h");
  vi.advanceTimersByTime(60_000);
  expect(output()).toBe("x ");
  await write("eart");
  expect(output()).toBe("x correct-heart");
});

test("of a secret that is written with pauses at most seven characters are passed on", async () => {
  const { write, passUntilShown, output } = pumpOf("correct-horse-battery");
  for (const character of "correct") {
    await write(character);
    await passUntilShown(50);
  }
  for (const character of "-horse-battery") {
    await write(character);
    vi.advanceTimersByTime(60_000);
  }
  expect(output()).toBe("correct***");
});
