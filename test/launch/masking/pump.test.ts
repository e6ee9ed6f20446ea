import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { startPump } from "../../../src/launch/masking/pump.ts";
import type { Source } from "../../../src/launch/masking/source.ts";
import { maskingOf } from "../../../src/masking/masking.ts";
import { folder } from "../../helpers/sophia.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A pump to a file from a program whose chunks the test writes. @param isEnd the program has ended if it is drained */
function pumpOf(secret: string, isEnd = false) {
  const file = join(folder(), "out");
  const target = openSync(file, "w");
  onTestFinished(() => closeSync(target));
  const written: { take: (chunk: Uint8Array) => Promise<void> } = {
    take: () => Promise.reject(new Error("not started")),
  };
  const source: Source = {
    descriptor: undefined,
    start: (take) => void (written.take = take),
    drain: () => Promise.resolve(isEnd),
    resume: () => {},
    close: () => 0,
  };
  const ignore = (): void => {};
  let shown = ignore;
  const wrote = (): Promise<void> => Promise.resolve(shown());
  const events = { masked: ignore, wrote, failed: ignore, ended: ignore };
  const { sync } = startPump(source, target, maskingOf([{ name: "KEY", value: secret }]).stream(), events);
  return {
    write: (text: string) => written.take(Buffer.from(text)),
    /** Lets time pass, after which something is passed on. */
    passUntilShown: async (ms: number): Promise<void> => {
      const next = new Promise<void>((resolve) => (shown = resolve));
      vi.advanceTimersByTime(ms);
      await next;
    },
    sync,
    output: () => readFileSync(file, "utf8"),
  };
}

const LONG = "correct-horse-battery-staple";

test.each([
  ["the end of a message", "}}-a-key-of-a-service", '{"id":1,"result":{"a":1}}', '{"id":1,"result":{"a":1'],
  ["a quarter of a secret", "hunter2xy", "x hu", "x "],
  ["seven characters of a long one", LONG, "x correct", "x "],
  ["seven characters of several bytes", "ÄÖÜäöüß-".repeat(4), "x ÄÖÜäöüß", "x "],
])("%s is passed on after 50 ms, although it may begin a secret", async (_, secret, text, before) => {
  const { write, passUntilShown, output } = pumpOf(secret);
  await write(text);
  vi.advanceTimersByTime(49);
  expect(output()).toBe(before);
  await passUntilShown(1);
  expect(output()).toBe(text);
});

test.each([
  ["a quarter of a secret", "hunter2xy", ["x hun", "t", "ed"]],
  ["seven characters", LONG, ["x correct-", "h", "eart"]],
])("more than %s is held until the program writes more", async (_, secret, [first = "", next = "", last = ""]) => {
  const { write, output } = pumpOf(secret);
  for (const text of [first, next]) {
    await write(text);
    vi.advanceTimersByTime(60_000);
    expect(output()).toBe("x ");
  }
  await write(last);
  expect(output()).toBe(first + next + last);
});

test.each([
  ["hunter2xy", "hu"],
  [LONG, "correct"],
  // It is masked in parts.
  [LONG.repeat(100), "correct"],
])(
  "of a secret that is written with pauses at most a quarter and seven characters are passed on",
  async (secret, shown) => {
    const { write, passUntilShown, output } = pumpOf(secret);
    for (const character of shown) {
      await write(character);
      await passUntilShown(50);
    }
    for (const character of secret.slice(shown.length)) {
      await write(character);
      vi.advanceTimersByTime(60_000);
    }
    expect(output()).toBe(`${shown}***`);
  },
);

test("a drain before a stop passes on as much of a secret as a silence, and at the end all of it", async () => {
  for (const [isEnd, text, expected] of [
    [false, "x hu", "x hu"],
    [false, "x hun", "x "],
    [true, "x hun", "x hun"],
  ] as const) {
    const { write, sync, output } = pumpOf("hunter2xy", isEnd);
    await write(text);
    await sync();
    expect(output()).toBe(expected);
  }
});
