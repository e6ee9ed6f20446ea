/**
 * A patch removes the names, scopes and kinds of variables from the engine's functions
 * (runtime/quickjs/10-functions-without-variable-names.patch). Functions must run as in Node.js anyway.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();

it("functions see the variables around them as in Node.js", () => {
  const [expected, found] = [process.execPath, shell].map((program) =>
    execFileSync(program, [join(import.meta.dirname, "functions.cjs")], { encoding: "utf8" }),
  );
  expect(found).toBe(expected);
  expect(found).toContain("asynchronous 7\n");
});
