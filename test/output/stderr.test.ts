import { expect, test } from "vitest";
import type { Context } from "../../src/core/context.ts";
import { printError } from "../../src/output/stderr.ts";
import { silentContext } from "../helpers/silent-context.ts";

test.each([
  ["out of memory", ["sophia-run: not enough memory", "  raise the limit on memory, or end other programs"]],
  ["another text", ["sophia-run: internal error (InternalError); please report it"]],
])("the engine's error with the text %j is reported as lack of memory or as an internal error", async (text, lines) => {
  class InternalError extends Error {
    override readonly name = "InternalError";
  }
  let printed = "";
  const context: Context = {
    ...silentContext(import.meta.dirname),
    err: (part) => void (printed += part),
  };
  await printError(context, new InternalError(text));
  expect(printed.split("\n").filter((line) => line !== "" && !line.startsWith("  at "))).toEqual(lines);
});
