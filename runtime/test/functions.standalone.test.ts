/** The engine's functions have no names, scopes and kinds of variables (runtime/quickjs/10-functions-without-variable-names.patch): they run as in Node.js. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { needShell, shell } from "./helpers/shell.ts";

needShell();

it("functions see the variables around them", () => {
  const [expected, found] = [process.execPath, shell].map((program) =>
    execFileSync(program, [join(import.meta.dirname, "functions.cjs")], { encoding: "utf8" }),
  );
  expect(found).toBe(expected);
  expect(found).toContain("asynchronous 7\n");
});
