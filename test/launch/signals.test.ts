import { constants } from "node:os";
import { expect, test } from "vitest";
import { catchableSignals, signalName, signalNumber } from "../../src/launch/signals.ts";

const numbers = new Set(Object.values(constants.signals));

test("each signal of the system is caught once, but those that cannot be and those of faults", () => {
  const caught = catchableSignals().map((name) => signalNumber(name));
  const others = ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"] as const;
  const all = [...caught, ...others.map((name) => constants.signals[name])];
  expect(all.toSorted((a, b) => a - b)).toEqual([...numbers].toSorted((a, b) => a - b));
});

test("each number of a signal has a name, and no other number has", () => {
  for (const number of numbers) expect(constants.signals[signalName(number) ?? "SIGKILL"]).toBe(number);
  expect([0, 64].map((number) => signalName(number))).toEqual([undefined, undefined]);
});
