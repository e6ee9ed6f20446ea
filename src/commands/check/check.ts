import { assess } from "../../resolve/assess.ts";
import { ExitStatus } from "../../core/error.ts";
import { FORMATS } from "./formats.ts";
import { makeProgress } from "../../output/progress.ts";
import { makeReport } from "../../output/report.ts";
import { settle } from "../../command-line/settings.ts";
import { say } from "../../output/stderr.ts";
import type { Command } from "../registry.ts";

/** `sophia-run check`: 0 when the contract is met, 1 when it is not. */
export const check: Command = async ({ flags, own }, context) => {
  const settings = settle(flags, context.environment);
  const { against } = own;
  if (typeof against === "string") {
    const { compare } = await import("../compare/compare.ts");
    return compare(against, settings, own["json"] === true, context);
  }
  const assessment = await assess({
    settings,
    environment: context.environment,
    cwd: context.cwd,
    progress: makeProgress(context, settings),
  });
  const report = makeReport(assessment);
  say(
    context,
    settings,
    assessment.notices.filter(({ kind }) => kind !== "esc-unavailable"),
  );
  context.out((own["json"] === true ? FORMATS.json : FORMATS.text)(report));
  return report.met ? ExitStatus.ok : ExitStatus.unmet;
};
