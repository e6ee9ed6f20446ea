import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { readSoftLimit } from "../../../src/launch/proc/process-stat.ts";

test("readSoftLimit reads the limit that a shell of this process prints", () => {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  expect(readSoftLimit("self", "Max open files")).toBe(stdout.trim());
});

test("readSoftLimit returns undefined for a process that does not exist", () => {
  expect(readSoftLimit(2 ** 30, "Max open files")).toBeUndefined();
});
