/** Prints the notices of a start before the program starts. Loaded only if there are notices. */
import type { Context } from "../core/context.ts";
import type { EscStatus } from "../resolve/start.ts";
import { describeNotice, isInformation, describeUseOfFiles } from "./notice-words.ts";
import { isNewToday } from "./once-a-day.ts";
import { listDetailsAndHint, printLines } from "./stderr.ts";
import type { Notice } from "../core/model.ts";
import type { Settings } from "../command-line/settings.ts";
import { within } from "../system/paths.ts";

/** The conditions under which notices are printed. */
interface Verbosity extends Pick<Settings, "quiet"> {
  /** True for a report, which also prints notices that a start prints once a day. */
  readonly isReport?: boolean;
  /** True for a command that a coding agent starts again and again: each notice is printed once a day. */
  readonly isDaily?: boolean;
}

/** Prints those notices that the verbosity admits. */
export function printNotices(context: Context, verbosity: Verbosity, notices: readonly Notice[]): void {
  for (const notice of notices) if (isPrinted(notice, verbosity, context)) printLines(context, describeNotice(notice));
}

function isPrinted(notice: Notice, { quiet, isReport, isDaily }: Verbosity, { cwd, environment }: Context): boolean {
  if (notice.kind !== "exposed") {
    if (quiet && isInformation(notice)) return false;
    return isDaily !== true || isNewToday(`daily: ${textWithoutAge(notice)}`, environment, true);
  }
  const path = notice.file.startsWith("/") ? notice.file : within(cwd, notice.file);
  return isReport === true || (!quiet && isNewToday(`world-readable ${path}`, environment));
}

/** Returns a text of the notice that does not change from minute to minute, as the age of cached values does. */
function textWithoutAge(notice: Notice): string {
  return (notice.kind === "esc-kept" ? notice.failure?.message : undefined) ?? describeNotice(notice)[0];
}

/** Warns that ESC is not available or refuses access, and that the start continues without its values. */
export function warnUnavailable(context: Context, esc: EscStatus): void {
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  const { failure } = esc;
  const remainingSources = esc.kind === "refused" ? "the environment alone" : "the environment and .env files";
  printLines(context, [
    `warning: ${failure.message}; continuing with ${remainingSources}`,
    ...listDetailsAndHint(failure),
    ...(esc.kind === "refused" ? [describeUseOfFiles(esc.settings)] : []),
  ]);
}
