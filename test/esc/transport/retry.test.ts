import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decide,
  type Decision,
  parseRetryAfter,
  type Situation,
  type Trouble,
} from "../../../src/esc/transport/retry.ts";

const SITUATION: Situation = { retries: 0, maxRetries: 2, remainingMs: 30_000 };

describe("decisions", () => {
  test.each<[string, Trouble, Partial<Situation>, number, Decision]>([
    ["what is final stays", { kind: "final" }, {}, 0.5, { kind: "stop", why: "final" }],
    ["a first pause", { kind: "transient" }, {}, 0.5, { kind: "retry", delayMs: 300 }],
    ["at its shortest", { kind: "transient" }, {}, 0, { kind: "retry", delayMs: 150 }],
    ["at its longest", { kind: "transient" }, {}, 0.999, { kind: "retry", delayMs: 450 }],
    ["a second pause", { kind: "transient" }, { retries: 1 }, 0.5, { kind: "retry", delayMs: 600 }],
    ["a fourth pause", { kind: "transient" }, { retries: 3, maxRetries: 4 }, 0.5, { kind: "retry", delayMs: 2400 }],
    ["nothing reached", { kind: "unreached" }, {}, 0.5, { kind: "retry", delayMs: 300 }],
    ["nothing reached again", { kind: "unreached" }, { retries: 1 }, 0.5, { kind: "stop", why: "exhausted" }],
    ["nothing reached, no retries", { kind: "unreached" }, { maxRetries: 0 }, 0, { kind: "stop", why: "exhausted" }],
    ["the last attempt", { kind: "transient" }, { retries: 2 }, 0.5, { kind: "stop", why: "exhausted" }],
    ["no retries at all", { kind: "rate-limit" }, { maxRetries: 0 }, 0.5, { kind: "stop", why: "exhausted" }],
    ["little time left", { kind: "transient" }, { remainingMs: 350 }, 0.9, { kind: "retry", delayMs: 240 }],
    ["no time left", { kind: "transient" }, { remainingMs: 199 }, 0, { kind: "stop", why: "deadline" }],
    ["a rate limit at once", { kind: "rate-limit" }, {}, 0, { kind: "retry", delayMs: 100 }],
    ["a rate limit at most", { kind: "rate-limit" }, {}, 0.999999, { kind: "retry", delayMs: 4485 }],
    ["a rate limit again, at once", { kind: "rate-limit" }, { retries: 1 }, 0, { kind: "retry", delayMs: 4485 }],
    [
      "a rate limit again, at most",
      { kind: "rate-limit" },
      { retries: 1 },
      0.999999,
      { kind: "retry", delayMs: 26_910 },
    ],
    [
      "a rate limit with Retry-After again, at once",
      { kind: "rate-limit", retryAfterMs: 2000 },
      { retries: 1 },
      0,
      { kind: "retry", delayMs: 2000 },
    ],
    [
      "a rate limit with Retry-After again, at most",
      { kind: "rate-limit", retryAfterMs: 2000 },
      { retries: 1 },
      0.999999,
      { kind: "retry", delayMs: 20_930 },
    ],
    ["Retry-After at least", { kind: "rate-limit", retryAfterMs: 2000 }, {}, 0, { kind: "retry", delayMs: 2000 }],
    ["Retry-After at most", { kind: "rate-limit", retryAfterMs: 2000 }, {}, 0.999999, { kind: "retry", delayMs: 4000 }],
    ["Retry-After of a 503", { kind: "transient", retryAfterMs: 2000 }, {}, 0.5, { kind: "retry", delayMs: 3000 }],
    ["Retry-After: 0", { kind: "rate-limit", retryAfterMs: 0 }, {}, 0.5, { kind: "retry", delayMs: 150 }],
    [
      "Retry-After close to the end",
      { kind: "rate-limit", retryAfterMs: 29_000 },
      {},
      0.999999,
      { kind: "retry", delayMs: 29_900 },
    ],
    [
      "Retry-After beyond",
      { kind: "rate-limit", retryAfterMs: 29_901 },
      {},
      0,
      { kind: "stop", why: "pause-too-long" },
    ],
    ["Retry-After of hours", { kind: "transient", retryAfterMs: 4e6 }, {}, 0, { kind: "stop", why: "pause-too-long" }],
  ])("%s", (_, trouble, situation, random, decision) => {
    expect(decide(trouble, { ...SITUATION, ...situation }, random)).toEqual(decision);
  });

  test("there is a retry wherever one is allowed; no pause is shorter than asked for or longer than the deadline", () => {
    const trouble = fc.record(
      { kind: fc.constantFrom("transient" as const, "rate-limit" as const), retryAfterMs: fc.nat(60_000) },
      { requiredKeys: ["kind"] },
    );
    const situation = fc.record({ retries: fc.nat(5), maxRetries: fc.nat(5), remainingMs: fc.nat(40_000) });
    fc.assert(
      fc.property(trouble, situation, fc.double({ min: 0, max: 0.999, noNaN: true }), (given, where, random) => {
        const decision = decide(given, where, random);
        const available = where.remainingMs - 100;
        const mayRetry = where.retries < where.maxRetries && available >= 100 && (given.retryAfterMs ?? 0) <= available;
        expect(decision.kind).toBe(mayRetry ? "retry" : "stop");
        for (const delayMs of "delayMs" in decision ? [decision.delayMs] : []) {
          expect(delayMs).toBeGreaterThanOrEqual(given.retryAfterMs ?? 0);
          expect(delayMs).toBeLessThan(where.remainingMs);
        }
      }),
    );
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:10Z");
  test.each<[string | undefined, string | undefined, number | undefined]>([
    [undefined, undefined, undefined],
    ["", undefined, undefined],
    ["0", undefined, 0],
    [" 7 ", undefined, 7000],
    ["-3", undefined, undefined],
    ["1.5", undefined, undefined],
    ["soon", undefined, undefined],
    ["Thu, 01 Jan 2026 00:00:15 GMT", undefined, 5000],
    ["Thu, 01 Jan 2026 00:00:05 GMT", undefined, 0],
    // Our clock is wrong by an hour: the two dates of the answer tell the pause all the same.
    ["Thu, 01 Jan 2026 01:00:15 GMT", "Thu, 01 Jan 2026 01:00:10 GMT", 5000],
    ["Thu, 01 Jan 2026 00:00:15 GMT", "no date", 5000],
  ])("%s (Date: %s)", (header, date, expected) => {
    expect(parseRetryAfter(header, date, now)).toBe(expected);
  });
});
