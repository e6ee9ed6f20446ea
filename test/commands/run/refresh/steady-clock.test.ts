import { describe, expect, test } from "vitest";
import {
  type ClockReading,
  computePassedMs,
  createSteadyClock,
} from "../../../../src/commands/run/refresh/steady-clock.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 11, 2, 7);

/** A clock of a machine whose two clocks the test sets. */
function createMachine() {
  let reading: ClockReading = { monotonic: 5000, system: START };
  const clock = createSteadyClock(() => reading);
  return {
    clock,
    pass: (monotonic: number, system = monotonic) => {
      reading = { monotonic: reading.monotonic + monotonic, system: reading.system + system };
      return clock.now();
    },
  };
}

describe("the time that has passed", () => {
  test.each([
    ["a minute", 60_000, 60_000, 60_000],
    ["a minute in which the system's clock was set back by an hour", 60_000, 60_000 - HOUR, 60_000],
    ["a minute, then eight hours of sleep", 60_000, 60_000 + 8 * HOUR, 60_000 + 8 * HOUR],
    ["a minute in which the system's clock was adjusted by half a second", 60_000, 60_500, 60_000],
    ["nothing", 0, 0, 0],
  ])("is measured by the monotonic clock, and includes sleep: %s", (_, monotonic, system, passed) => {
    const earlier = { monotonic: 1000, system: START };
    expect(computePassedMs(earlier, { monotonic: 1000 + monotonic, system: START + system })).toBe(passed);
  });

  test("does not grow because it is read often", () => {
    const { clock, pass } = createMachine();
    for (let read = 0; read < 1000; read++) pass(0.3, read % 3 === 0 ? 1 : 0);
    expect(clock.now()).toBeCloseTo(300);
  });
});

describe("the time until credentials expire", () => {
  test("is measured by the system's clock", () => {
    const { clock, pass } = createMachine();
    expect(clock.remainingMs(START + HOUR)).toBe(HOUR);
    pass(10 * 60_000);
    expect(clock.remainingMs(START + HOUR)).toBe(50 * 60_000);
    expect(clock.remainingMs(START)).toBe(-10 * 60_000);
  });

  test("is not longer for credentials that come after the system's clock was set back", () => {
    const { clock, pass } = createMachine();
    pass(10_000, 10_000 - 5 * HOUR);
    // Made by a provider whose clock is right.
    expect(clock.remainingMs(START + 10_000 + HOUR)).toBe(HOUR);
  });

  test("is measured by the current clock, if the clock at the start was wrong", () => {
    const { clock, pass } = createMachine();
    // It was a day ahead at the start, and is right now: the provider's tokens end before what seems to be now.
    pass(10_000, 10_000 - 24 * HOUR);
    expect(clock.remainingMs(START + 10_000 - 23 * HOUR)).toBe(HOUR);
  });
});
