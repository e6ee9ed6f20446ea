import type { Context } from "../core/context.ts";
import type { Failure } from "../core/model.ts";

/** Writes a failure: what is wrong, then what to do. */
export function sayFailure(context: Context, failure: Failure): void {
  sayLines(context, [failure.message, ...further(failure)]);
}

/** Writes lines of which the first names the program and the others belong to it. */
export function sayLines(context: Context, [first, ...rest]: readonly [string, ...string[]]): void {
  context.err([`sophia-run: ${first}`, ...rest.map((line) => `  ${line}`), ""].join("\n"));
}

/** The hint and the details of a failure as lines that stand under its message. */
export function further({ hint, details }: Failure): string[] {
  return [...(details ?? []), ...(hint === undefined ? [] : [hint])];
}
