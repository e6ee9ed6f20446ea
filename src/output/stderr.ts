import type { Context } from "../core/context.ts";
import type { Failure } from "../core/model.ts";
import { wrap } from "../core/lines.ts";

/** Columns of a line, of which the program's name or an indent takes some. */
const WIDTH = 80;
const FIRST = WIDTH - "sophia-run: ".length;
const REST = WIDTH - "  ".length;

/** Writes a failure: what is wrong, then what to do. That of a start is one line, as in every shell. */
export function sayFailure(context: Context, failure: Failure): void {
  if (failure.code === "not-found" || failure.code === "not-executable")
    sayLines(context, [failure.message, ...further(failure)]);
  else sayWrapped(context, [failure.message, ...further(failure)]);
}

/** As {@link sayLines}, in lines of 80 columns. */
export function sayWrapped(context: Context, [first, ...rest]: readonly [string, ...string[]]): void {
  const [head = "", ...more] = wrap(first, REST, "", FIRST);
  sayLines(context, [head, ...more, ...rest.flatMap((line) => wrap(line, REST, "  "))]);
}

/** Writes lines of which the first names the program and the others belong to it. */
export function sayLines(context: Context, [first, ...rest]: readonly [string, ...string[]]): void {
  context.err([`sophia-run: ${first}`, ...rest.map((line) => `  ${line}`), ""].join("\n"));
}

/** The hint and the details of a failure as lines that stand under its message. */
export function further({ hint, details }: Failure): string[] {
  return [...(details ?? []), ...(hint === undefined ? [] : [hint])];
}
