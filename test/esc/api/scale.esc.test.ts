import { expect, test } from "vitest";
import { readValues } from "../../../src/esc/api/opened-values.ts";

/** Microseconds of the processor to make variables of an answer that holds so many; the best of several. */
function measureCost(size: number): number {
  const children = Array.from({ length: size }, (_, index): [string, unknown] => [
    `NAME_${index}`,
    { value: index % 2 === 0 ? index : "x".repeat(200) },
  ]);
  const answer = { properties: { environmentVariables: { value: Object.fromEntries(children) } } };
  const text = JSON.stringify(answer);
  const name = { organization: "demo-org", project: "scale", name: "dev" };
  const times = Array.from({ length: 7 }, () => {
    // Not the time that passes, in which other processes run.
    const started = process.cpuUsage();
    expect(readValues(answer, text, name, "").variables).toHaveLength(size);
    const { user, system } = process.cpuUsage(started);
    // The kernel knows their sum, and estimates the parts, either of which may be 0.
    return user + system;
  });
  return Math.min(...times);
}

test("the time for reading values grows with their number, and not faster", () => {
  measureCost(1000);
  // Twenty times as many: were the cost quadratic, it would be four hundred times as high.
  expect(measureCost(20_000) / measureCost(1000)).toBeLessThan(100);
});
