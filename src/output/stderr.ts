import type { Context } from "../core/context.ts";
import { describeNotice, isInformation } from "./notices.ts";
import type { Failure, Notice } from "../core/model.ts";
import type { Settings } from "../command-line/settings.ts";

/** Writes notices to the standard error, each with its further lines indented. */
export function say(context: Context, { quiet }: Pick<Settings, "quiet">, notices: readonly Notice[]): void {
  for (const notice of notices) {
    if (quiet && isInformation(notice)) continue;
    sayLines(context, describeNotice(notice));
  }
}

/** Writes a failure: what is wrong, then what to do. */
export function sayFailure(context: Context, { message, details, hint }: Failure): void {
  sayLines(context, [message, ...(details ?? []), ...(hint === undefined ? [] : [hint])]);
}

/** Writes lines of which the first names the program and the others belong to it. */
export function sayLines(context: Context, [first, ...rest]: readonly [string, ...string[]]): void {
  context.err([`sophia-run: ${first}`, ...rest.map((line) => `  ${line}`), ""].join("\n"));
}
