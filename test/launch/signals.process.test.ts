import { constants } from "node:os";
import { expect, test } from "vitest";
import { catchableSignals, signalName, signalNumber } from "../../src/launch/signals.ts";

const signalNumbers = new Set(Object.values(constants.signals));

test("sophia-run catches each signal once, except signals that cannot be caught and signals of faults", () => {
  const caught = catchableSignals().map((name) => signalNumber(name));
  const others = ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"] as const;
  const allNumbers = [...caught, ...others.map((name) => constants.signals[name])];
  expect(allNumbers.toSorted((a, b) => a - b)).toEqual([...signalNumbers].toSorted((a, b) => a - b));
});

test("signalName returns a name for each number of a signal, and undefined for other numbers", () => {
  for (const number of signalNumbers) expect(constants.signals[signalName(number) ?? "SIGKILL"]).toBe(number);
  expect([0, 64].map((number) => signalName(number))).toEqual([undefined, undefined]);
});
