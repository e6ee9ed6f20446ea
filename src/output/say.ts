/** What a run tells before its program starts. Loaded only where there is something to tell. */
import type { Context } from "../core/context.ts";
import type { EscStatus } from "../resolve/assessment.ts";
import { describeNotice, isInformation, workLocally } from "./notices.ts";
import { further, sayLines } from "./stderr.ts";
import type { Notice } from "../core/model.ts";
import type { Settings } from "../command-line/settings.ts";

/** Writes notices to the standard error, each with its further lines indented. */
export function say(context: Context, { quiet }: Pick<Settings, "quiet">, notices: readonly Notice[]): void {
  for (const notice of notices) {
    if (quiet && isInformation(notice)) continue;
    sayLines(context, describeNotice(notice));
  }
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
