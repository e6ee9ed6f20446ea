/** Notices of a run before its program starts. Loaded only if there are any. */
import type { Context } from "../core/context.ts";
import type { EscStatus } from "../resolve/assessment.ts";
import { describeNotice, isInformation, workLocally } from "./notices.ts";
import { isNewToday } from "./once-a-day.ts";
import { further, sayLines } from "./stderr.ts";
import type { Notice } from "../core/model.ts";
import type { Settings } from "../command-line/settings.ts";
import { within } from "../system/paths.ts";

interface Telling extends Pick<Settings, "quiet"> {
  /** The user asks how things are: what is told once a day otherwise is told now. */
  readonly isReport?: boolean;
}

/** Writes notices to the standard error, each with its further lines indented. */
export function say(context: Context, telling: Telling, notices: readonly Notice[]): void {
  for (const notice of notices) if (isTold(notice, telling, context)) sayLines(context, describeNotice(notice));
}

function isTold(notice: Notice, { quiet, isReport }: Telling, { cwd, environment }: Context): boolean {
  if (notice.kind !== "exposed") return !(quiet && isInformation(notice));
  const path = notice.file.startsWith("/") ? notice.file : within(cwd, notice.file);
  return isReport === true || (!quiet && isNewToday(`world-readable ${path}`, environment));
}

/** Warns where ESC could not be read and others serve: all of them, or the environment alone where ESC refuses. */
export function sayDown(context: Context, esc: EscStatus): void {
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  const { failure } = esc;
  const serves = esc.kind === "refused" ? "the environment alone" : "the environment and .env files";
  sayLines(context, [
    `warning: ${failure.message}; continuing with ${serves}`,
    ...further(failure),
    ...(esc.kind === "refused" ? [workLocally(esc.settings)] : []),
  ]);
}
