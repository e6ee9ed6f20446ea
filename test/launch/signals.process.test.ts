import { constants } from "node:os";
import { expect, test } from "vitest";
import { catchableSignals, signalName, signalNumber } from "../../src/launch/signals.ts";

const numbers = new Set(Object.values(constants.signals));

test("each signal is caught once, except uncatchable ones and those of faults", () => {
  const caught = catchableSignals().map((name) => signalNumber(name));
  const others = ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"] as const;
  const all = [...caught, ...others.map((name) => constants.signals[name])];
  expect(all.toSorted((a, b) => a - b)).toEqual([...numbers].toSorted((a, b) => a - b));
});

test("every signal number has a name, other numbers have none", () => {
  for (const number of numbers) expect(constants.signals[signalName(number) ?? "SIGKILL"]).toBe(number);
  expect([0, 64].map((number) => signalName(number))).toEqual([undefined, undefined]);
});
