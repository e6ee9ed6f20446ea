import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decideRetry,
  type RetryDecision,
  parseRetryAfter,
  type RetrySituation,
  type FaultClass,
} from "../../../src/esc/transport/retry.ts";

const SITUATION: RetrySituation = { retries: 0, maxRetries: 2, remainingMs: 30_000 };

describe("the client", () => {
  test.each<[string, FaultClass, Partial<RetrySituation>, number, RetryDecision]>([
    ["a final failure", { kind: "final" }, {}, 0.5, "stop"],
    ["a first pause", { kind: "transient" }, {}, 0.5, 300],
    ["at its shortest", { kind: "transient" }, {}, 0, 150],
    ["at its longest", { kind: "transient" }, {}, 0.999, 450],
    ["a second pause", { kind: "transient" }, { retries: 1 }, 0.5, 600],
    ["a fourth pause", { kind: "transient" }, { retries: 3, maxRetries: 4 }, 0.5, 2400],
    ["nothing reached", { kind: "unreached" }, {}, 0.5, 300],
    ["nothing reached again", { kind: "unreached" }, { retries: 1 }, 0.5, "stop"],
    ["nothing reached, no retries", { kind: "unreached" }, { maxRetries: 0 }, 0, "stop"],
    ["the last attempt", { kind: "transient" }, { retries: 2 }, 0.5, "stop"],
    ["no retries at all", { kind: "rate-limit" }, { maxRetries: 0 }, 0.5, "stop"],
    ["little time left", { kind: "transient" }, { remainingMs: 350 }, 0.9, 240],
    ["no time left", { kind: "transient" }, { remainingMs: 199 }, 0, "stop"],
    ["a rate limit at once", { kind: "rate-limit" }, {}, 0, 100],
    ["a rate limit at most", { kind: "rate-limit" }, {}, 0.999999, 4485],
    ["a rate limit again, at once", { kind: "rate-limit" }, { retries: 1 }, 0, 4485],
    ["a rate limit again, at most", { kind: "rate-limit" }, { retries: 1 }, 0.999999, 26_910],
    [
      "a rate limit with Retry-After again, at once",
      { kind: "rate-limit", retryAfterMs: 2000 },
      { retries: 1 },
      0,
      2000,
    ],
    [
      "a rate limit with Retry-After again, at most",
      { kind: "rate-limit", retryAfterMs: 2000 },
      { retries: 1 },
      0.999999,
      20_930,
    ],
    ["Retry-After at least", { kind: "rate-limit", retryAfterMs: 2000 }, {}, 0, 2000],
    ["Retry-After at most", { kind: "rate-limit", retryAfterMs: 2000 }, {}, 0.999999, 4000],
    ["Retry-After of a 503", { kind: "transient", retryAfterMs: 2000 }, {}, 0.5, 3000],
    ["Retry-After: 0", { kind: "rate-limit", retryAfterMs: 0 }, {}, 0.5, 150],
    ["Retry-After close to the end", { kind: "rate-limit", retryAfterMs: 29_000 }, {}, 0.999999, 29_900],
    ["Retry-After beyond", { kind: "rate-limit", retryAfterMs: 29_901 }, {}, 0, "pause-too-long"],
    ["Retry-After of hours", { kind: "transient", retryAfterMs: 4e6 }, {}, 0, "pause-too-long"],
  ])("decides whether and when to repeat a request: %s", (_, trouble, situation, random, decision) => {
    expect(decideRetry(trouble, { ...SITUATION, ...situation }, random)).toEqual(decision);
  });

  test("a failed request is repeated as often as allowed, each time after a pause between Retry-After and the deadline", () => {
    const trouble = fc.record(
      { kind: fc.constantFrom("transient" as const, "rate-limit" as const), retryAfterMs: fc.nat(60_000) },
      { requiredKeys: ["kind"] },
    );
    const situation = fc.record({ retries: fc.nat(5), maxRetries: fc.nat(5), remainingMs: fc.nat(40_000) });
    fc.assert(
      fc.property(trouble, situation, fc.double({ min: 0, max: 0.999, noNaN: true }), (given, where, random) => {
        const decision = decideRetry(given, where, random);
        const available = where.remainingMs - 100;
        const mayRetry = where.retries < where.maxRetries && available >= 100 && (given.retryAfterMs ?? 0) <= available;
        expect(typeof decision).toBe(mayRetry ? "number" : "string");
        if (typeof decision === "string") return;
        expect(decision).toBeGreaterThanOrEqual(given.retryAfterMs ?? 0);
        expect(decision).toBeLessThan(where.remainingMs);
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
    ["9".repeat(400), undefined, 2 ** 31 * 1000],
    // Date.parse of the package takes these, that of the executable does not, or reads another date.
    ["Thu,01 Jan 2026 00:00:15 GMT", undefined, undefined],
    ["Thu, 01 Jan 2026 00:00:15", undefined, undefined],
    ["January 1, 2026", undefined, undefined],
    ["Thu, 01 Jan 2026 00:00:15 GMT", undefined, 5000],
    ["Thu, 01 Jan 2026 00:00:05 GMT", undefined, 0],
    ["Thursday, 01-Jan-26 00:00:15 GMT", undefined, 5000],
    ["Thu Jan  1 00:00:15 2026", undefined, 5000],
    // Our clock is wrong by an hour: the two dates of the answer still give the pause.
    ["Thu, 01 Jan 2026 01:00:15 GMT", "Thu, 01 Jan 2026 01:00:10 GMT", 5000],
    ["Thu, 01 Jan 2026 00:00:15 GMT", "no date", 5000],
  ])("is parsed as a pause in ms, or as none: %s (Date: %s)", (header, date, expected) => {
    expect(parseRetryAfter(header, date, now)).toBe(expected);
  });

  test("in the form of asctime is read as UTC, whatever the zone of this machine", () => {
    const { TZ } = process.env;
    process.env["TZ"] = "America/New_York";
    try {
      expect(parseRetryAfter("Thu Jan  1 00:00:15 2026", "Thu, 01 Jan 2026 00:00:10 GMT", now)).toBe(5000);
    } finally {
      if (TZ === undefined) delete process.env["TZ"];
      else process.env["TZ"] = TZ;
    }
  });
});
