import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { softLimit } from "../../../src/launch/proc/process-stat.ts";

test("softLimit reads the limit that a shell of this process prints", () => {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  expect(softLimit("self", "Max open files")).toBe(stdout.trim());
});

test("softLimit returns undefined for a process that does not exist", () => {
  expect(softLimit(2 ** 30, "Max open files")).toBeUndefined();
});
