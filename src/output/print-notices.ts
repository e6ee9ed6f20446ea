/** Prints notices before the program starts; loaded only if there are any. */
import type { Context } from "../core/context.ts";
import type { EscStatus } from "../resolve/start.ts";
import { describeNotice, isInformation, workLocally } from "./notice-words.ts";
import { isNewToday } from "./once-a-day.ts";
import { further, printLines } from "./stderr.ts";
import type { Notice } from "../core/model.ts";
import type { Settings } from "../command-line/settings.ts";
import { within } from "../system/paths.ts";

interface Verbosity extends Pick<Settings, "quiet"> {
  /** True for a report, which also prints notices that a start prints once a day. */
  readonly isReport?: boolean;
  /** True for what an agent starts again and again: each notice comes once a day. */
  readonly isDaily?: boolean;
}

export function printNotices(context: Context, verbosity: Verbosity, notices: readonly Notice[]): void {
  for (const notice of notices) if (isPrinted(notice, verbosity, context)) printLines(context, describeNotice(notice));
}

function isPrinted(notice: Notice, { quiet, isReport, isDaily }: Verbosity, { cwd, environment }: Context): boolean {
  if (notice.kind !== "exposed") {
    if (quiet && isInformation(notice)) return false;
    return isDaily !== true || isNewToday(`daily: ${constantIn(notice)}`, environment, true);
  }
  const path = notice.file.startsWith("/") ? notice.file : within(cwd, notice.file);
  return isReport === true || (!quiet && isNewToday(`world-readable ${path}`, environment));
}

/** The text of a notice without the age of cached values. */
function constantIn(notice: Notice): string {
  return (notice.kind === "esc-kept" ? notice.failure?.message : undefined) ?? describeNotice(notice)[0];
}

export function warnUnavailable(context: Context, esc: EscStatus): void {
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  const { failure } = esc;
  const others = esc.kind === "refused" ? "the environment alone" : "the environment and .env files";
  printLines(context, [
    `warning: ${failure.message}; continuing with ${others}`,
    ...further(failure),
    ...(esc.kind === "refused" ? [workLocally(esc.settings)] : []),
  ]);
}
