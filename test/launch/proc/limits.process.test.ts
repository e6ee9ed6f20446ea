import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { softLimit } from "../../../src/launch/proc/process-stat.ts";

test("this process's limits are those that its shell prints", () => {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  expect(softLimit("self", "Max open files")).toBe(stdout.trim());
});

test("a process that does not exist has no limits", () => {
  expect(softLimit(2 ** 30, "Max open files")).toBeUndefined();
});
