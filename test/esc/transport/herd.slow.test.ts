import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/esc/transport/deadline.ts";
import { startEscServer } from "../../esc-server/index.ts";
import { readEscFrom } from "../read-esc.ts";
import { simulateHerd } from "./herd.ts";

describe("of a thousand starts at once", () => {
  test.each([1000, 500, 200, 150, 100, 75])(
    "all read their environment if ESC answers %i requests a second",
    (rate) => {
      expect(simulateHerd(rate).read).toBe(1000);
    },
  );

  test.each([
    [200, 1],
    [150, 2],
    [100, 1],
    [150, 5],
    [200, 10],
  ])("all read their environment at %i requests a second with Retry-After: %i", (rate, retryAfterSeconds) => {
    expect(simulateHerd(rate, retryAfterSeconds).read).toBe(1000);
  });

  test.each([75, 50, 20, 1])("all start within the deadline if ESC answers %i requests a second", (rate) => {
    const { starts } = simulateHerd(rate);
    expect(starts).toHaveLength(1000);
    expect(starts.at(-1)).toBeLessThanOrEqual(30_200);
  });

  test("no more send requests at a time after the first wave than without a limit", () => {
    const { arrivals } = simulateHerd(100);
    const busiest = Array.from({ length: 30 }, (_, second) =>
      arrivals.filter((at) => Math.floor(at / 1000) === second + 1),
    );
    expect(Math.max(...busiest.map((second) => second.length))).toBeLessThan(400);
  });

  test("sixty read from a real server", async () => {
    await using server = await startEscServer();
    server.environment("demo-org/sophia/dev", { values: { A: "x" } });
    server.failAlways("any", { kind: "rateLimit", perSecond: 40 });
    const variables = { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
    const readers = Array.from({ length: 60 }, (_, index) => {
      // Chance that is the same each time: spread evenly, in another order with each attempt.
      let drawn = index;
      const random = (): number => (drawn = (drawn * 37 + 11) % 60) / 60;
      return readEscFrom(variables, { timeoutMs: 12_000, clock: { ...systemClock, random } });
    });
    const kinds = (await Promise.all(readers)).map(({ kind }) => kind);
    expect(kinds).toEqual(kinds.map(() => "read"));
    expect(server.count("open")).toBeGreaterThan(60);
    expect(server.violations).toEqual([]);
  });
});
