import { describe, expect, test } from "vitest";
import { CLOUD_FACTS } from "../../../../src/commands/run/refresh/cloud-credentials.ts";
import {
  isDue,
  mayTryNow,
  computeNextTry,
  computeFirstTry,
  type RenewalState,
} from "../../../../src/commands/run/refresh/renewal.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const fresh: RenewalState = { lifetime: { openedAt: 0, expiresAt: HOUR }, failures: 0, triedAt: 0 };

test("a renewal begins at 80 % of the life of the credentials", () => {
  expect(computeNextTry(fresh, 0.5)).toBe(0.8 * HOUR);
  expect(computeNextTry({ ...fresh, lifetime: { openedAt: 1000, expiresAt: 61_000 } }, 0)).toBe(49_000);
});

test.each([
  ["an hour", 60, 45],
  ["two hours", 120, 96],
  ["half an hour", 30, 15],
  ["29 minutes, which are less than twice the lead", 29, 23.2],
  ["a minute", 1, 0.8],
])(
  "a token of Azure that lives for %s is renewed at least 15 minutes before its end, if it can be",
  (_, life, mayStartAt) => {
    expect(computeFirstTry({ openedAt: 0, expiresAt: life * MINUTE, leadMs: CLOUD_FACTS.azure.leadMs })).toBe(
      mayStartAt * MINUTE,
    );
  },
);

test("credentials of other clouds are renewed without a minimum time", () => {
  expect([CLOUD_FACTS.aws.leadMs, CLOUD_FACTS.google.leadMs]).toEqual([undefined, undefined]);
  expect(computeFirstTry({ openedAt: 0, expiresAt: HOUR })).toBe(0.8 * HOUR);
});

test("failed renewals double the pause up to a minute, and do not start two at the same time", () => {
  const pauses = [1, 2, 3, 6, 7, 50].map((failures) => computeNextTry({ ...fresh, failures, triedAt: 0 }, 0));
  expect(pauses).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
  expect(computeNextTry({ ...fresh, failures: 1, triedAt: 0 }, 1)).toBe(1200);
});

test("pauses grow to a quarter of an hour if ESC repeats credentials that have expired", () => {
  const pause = (state: Partial<RenewalState>): number => {
    const triedAt = state.triedAt ?? 0;
    return computeNextTry({ ...fresh, failures: 50, hasSameCredentials: true, ...state }, 0) - triedAt;
  };
  expect(pause({ triedAt: HOUR - 1 })).toBe(MINUTE);
  expect(pause({ triedAt: HOUR })).toBe(15 * MINUTE);
  expect(pause({ triedAt: HOUR, hasSameCredentials: false })).toBe(MINUTE);
});

test("credentials that have expired when they come cause no endless loop", () => {
  expect(computeNextTry({ lifetime: { openedAt: 10_000, expiresAt: 5000 }, failures: 0, triedAt: 20_000 }, 0)).toBe(
    21_000,
  );
});

describe("a program's request for credentials", () => {
  test("starts a renewal only in the last five minutes, or the last fifth of the life", () => {
    const mayStartAt = (now: number, state = fresh): boolean => mayTryNow(state, now);
    expect([mayStartAt(0), mayStartAt(HOUR - 300_001), mayStartAt(HOUR - 300_000), mayStartAt(2 * HOUR)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const minute: RenewalState = { lifetime: { openedAt: 0, expiresAt: 60_000 }, failures: 3, triedAt: 47_000 };
    expect([47_999, 48_000, 49_999, 50_000].map((now) => mayStartAt(now, minute))).toEqual([false, false, false, true]);
  });
});

test.each([
  ["before 80 % of its life", fresh, 0.8 * HOUR - 1, false],
  ["from then on", fresh, 0.8 * HOUR, true],
  ["after a failure", { ...fresh, failures: 1 }, 0, true],
])("a renewal fails if nothing is new: %s", (_, state, now, expected) => {
  expect(isDue(state, now)).toBe(expected);
});
