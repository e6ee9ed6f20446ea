/** docs/measurements/start.md: what the page says of a start is what a start does. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { notInstalled, skipBecause } from "../helpers/skip.ts";

const root = join(import.meta.dirname, "../..");

skipBecause(
  process.platform === "linux" && process.arch === "x64"
    ? notInstalled("strace", "--version")
    : "the page shows a start on Linux with x64",
);
skipBecause(existsSync("/run/secrets") ? "the page shows a start without /run/secrets" : undefined);

test("docs/measurements/start.md lists each system call and each function of a start", () => {
  const check = [join(root, "scripts/start-page.mjs"), "--check"];
  const { status, stderr } = spawnSync(process.execPath, check, { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
