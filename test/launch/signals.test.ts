import { constants } from "node:os";
import { expect, test } from "vitest";
import { catchableSignals, signalName, signalNumber } from "../../src/launch/signals.ts";

test("the signals are those of the system, with its numbers", () => {
  const unchangeable = ["SIGKILL", "SIGSTOP"];
  const faults = ["SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"];
  const system = Object.entries(constants.signals);
  for (const name of catchableSignals()) expect([name, constants.signals[name]]).toEqual([name, signalNumber(name)]);
  const caught = new Set(catchableSignals().map((name) => signalNumber(name)));
  const missed = system.filter(([name, number]) => !caught.has(number) && ![...unchangeable, ...faults].includes(name));
  expect(missed).toEqual([]);
  for (const [, number] of system) expect(constants.signals[signalName(number) ?? "SIGKILL"]).toBe(number);
  expect(signalName(0)).toBeUndefined();
});

test("each number is listened to once", () => {
  const caught = catchableSignals().map((name) => signalNumber(name));
  expect(new Set(caught).size).toBe(caught.length);
});
