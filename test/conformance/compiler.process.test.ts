/** Tests the launch suite on a machine without a C compiler. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { startProcess } from "../helpers/start-process.ts";

skipBecause(notInstalled("python3", "--version"));

test("the launch suite reports once that the machine has no compiler, and runs no case", async () => {
  const env = { PATH: process.env["PATH"] ?? "", CC: "/nonexistent/cc" };
  const run = startProcess(["python3", "test/conformance/run.py"], { cwd: join(import.meta.dirname, "../.."), env });
  const { status, stdout, stderr } = await run.finished;
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr.match(/there is no \/nonexistent\/cc/g)).toHaveLength(1);
});
