import { expect, test } from "vitest";
import { KeyLimits } from "../../src/broker/key-limits.ts";
import type { RequestLimit } from "../../src/contract/broker/broker-model.ts";

/**
 * Takes one request at each of the times, in ms. Returns for each the seconds to wait if it is refused, and 0 if it is
 * admitted.
 */
function secondsToWait(limit: RequestLimit, times: readonly number[]): readonly number[] {
  const limits = new KeyLimits();
  return times.map((now) => limits.countRequest({ name: "KEY", limit }, now)?.retry?.seconds ?? 0);
}

test("within any minute at most perMinute requests are admitted, and refused requests are not counted", () => {
  expect(
    secondsToWait({ perMinute: 2 }, [0, 10_000, 20_000, 59_999, 60_000, 69_999, 70_000, 119_999, 120_000]),
  ).toEqual([0, 0, 40, 1, 0, 1, 0, 1, 0]);
});

test("a run admits at most total requests, and its refusal says that waiting does not help", () => {
  const limits = new KeyLimits();
  const take = (now: number) => limits.countRequest({ name: "KEY", limit: { total: 2, perMinute: 60 } }, now);
  expect([take(0), take(1)]).toEqual([undefined, undefined]);
  expect(take(2)).toMatchObject({ code: "broker-limit", name: "KEY", retry: { seconds: 60, canSucceed: false } });
  expect(take(1e9)).toMatchObject({ retry: { canSucceed: false } });
});

test("each key is counted separately, its count goes on if its limit changes, and a key without a limit is not counted", () => {
  const limits = new KeyLimits();
  const limit = { perMinute: 1 };
  expect(limits.countRequest({ name: "A", limit }, 0)).toBeUndefined();
  expect(limits.countRequest({ name: "B", limit }, 0)).toBeUndefined();
  expect(limits.countRequest({ name: "A", limit }, 1)).toMatchObject({ retry: { canSucceed: true } });
  expect(limits.countRequest({ name: "A", limit: { total: 2 } }, 2)).toBeUndefined();
  expect(limits.countRequest({ name: "A", limit: { total: 2 } }, 3)).toMatchObject({ code: "broker-limit" });
  for (let index = 0; index < 1000; index += 1) expect(limits.countRequest({ name: "C" }, 0)).toBeUndefined();
});

test("no minute of ten thousand random times has more requests than the limit", () => {
  const limits = new KeyLimits();
  const admitted: number[] = [];
  let now = 0;
  for (let index = 0; index < 10_000; index += 1) {
    now += (index * 7919) % 997;
    if (limits.countRequest({ name: "KEY", limit: { perMinute: 50 } }, now) === undefined) admitted.push(now);
  }
  const most = Math.max(...admitted.map((from) => admitted.filter((at) => at >= from && at < from + 60_000).length));
  expect(most).toBe(50);
});
