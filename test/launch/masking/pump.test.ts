import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { startPump } from "../../../src/launch/masking/pump.ts";
import type { Source } from "../../../src/launch/masking/source.ts";
import { createMasking } from "../../../src/masking/masking.ts";
import { folder } from "../../helpers/sophia.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/**
 * Starts a pump from chunks that the test writes to a file.
 *
 * @param isEnd whether the program has ended when the pump is drained
 */
function startTestPump(secret: string, isEnd = false) {
  const file = join(folder(), "out");
  const target = openSync(file, "w");
  onTestFinished(() => closeSync(target));
  const program: { take: (chunk: Uint8Array) => Promise<void> } = {
    take: () => Promise.reject(new Error("not started")),
  };
  const source: Source = {
    descriptor: undefined,
    start: (take) => void (program.take = take),
    drain: () => Promise.resolve(isEnd),
    resume: () => {},
    close: () => 0,
  };
  const ignore = (): void => {};
  let resolveWhenShown = ignore;
  const wrote = (): Promise<void> => Promise.resolve(resolveWhenShown());
  const events = { masked: ignore, wrote, failed: ignore, ended: ignore };
  const pump = startPump(source, target, createMasking([{ name: "KEY", value: secret }]).stream(), events);
  return {
    write: (text: string) => program.take(Buffer.from(text)),
    /** Advances the clock, and waits until the pump passes something on. */
    passUntilShown: async (ms: number): Promise<void> => {
      const next = new Promise<void>((resolve) => (resolveWhenShown = resolve));
      vi.advanceTimersByTime(ms);
      await next;
    },
    sync: () => pump.sync(),
    output: () => readFileSync(file, "utf8"),
  };
}

const LONG = "correct-horse-battery-staple";

test.each([
  ["the end of a message", "}}-a-key-of-a-service", '{"id":1,"result":{"a":1}}', '{"id":1,"result":{"a":1'],
  ["a quarter of a secret", "hunter2xy", "x hu", "x "],
  ["seven characters of a long secret", LONG, "x correct", "x "],
  ["seven characters with two bytes each", "ÄÖÜäöüß-".repeat(4), "x ÄÖÜäöüß", "x "],
])("the pump passes %s on after 50 ms, although a secret may begin with it", async (_, secret, text, before) => {
  const { write, passUntilShown, output } = startTestPump(secret);
  await write(text);
  vi.advanceTimersByTime(49);
  expect(output()).toBe(before);
  await passUntilShown(1);
  expect(output()).toBe(text);
});

test.each([
  ["a quarter of a secret", "hunter2xy", ["x hun", "t", "ed"]],
  ["seven characters", LONG, ["x correct-", "h", "eart"]],
])(
  "the pump holds more than %s back until the program writes more",
  async (_, secret, [first = "", next = "", last = ""]) => {
    const { write, output } = startTestPump(secret);
    for (const text of [first, next]) {
      await write(text);
      vi.advanceTimersByTime(60_000);
      expect(output()).toBe("x ");
    }
    await write(last);
    expect(output()).toBe(first + next + last);
  },
);

test.each([
  ["hunter2xy", "hu"],
  [LONG, "correct"],
  // A value of this length is masked in parts.
  [LONG.repeat(100), "correct"],
])(
  "the pump passes on at most a quarter and at most seven characters of a secret that is written with pauses",
  async (secret, shown) => {
    const { write, passUntilShown, output } = startTestPump(secret);
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

test("a drain passes on as much of a secret's beginning as a silence, and all of it at the program's end", async () => {
  for (const [isEnd, text, expected] of [
    [false, "x hu", "x hu"],
    [false, "x hun", "x "],
    [true, "x hun", "x hun"],
  ] as const) {
    const { write, sync, output } = startTestPump("hunter2xy", isEnd);
    await write(text);
    await sync();
    expect(output()).toBe(expected);
  }
});
