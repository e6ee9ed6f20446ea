import { assess } from "../../resolve/assess.ts";
import { ExitStatus } from "../../core/error.ts";
import { makeExplanation } from "./explanation.ts";
import { explanationJson, explanationText } from "./text.ts";
import { makeProgress } from "../../output/progress.ts";
import { say } from "../../output/stderr.ts";
import { settle } from "../../command-line/settings.ts";
import type { Command } from "../registry.ts";

/** `sophia-run explain [NAME…]`: 0, also where the contract is not met. */
export const explain: Command = async ({ flags, own, positionals }, context) => {
  const settings = settle(flags, context.environment);
  const assessment = await assess({
    settings,
    environment: context.environment,
    cwd: context.cwd,
    progress: makeProgress(context, settings),
  });
  const explanation = makeExplanation(assessment, settings, { names: positionals, all: own["all"] === true });
  // The explanation tells itself what hides what, and why ESC could not be read.
  const untold = assessment.notices.filter(({ kind }) => kind !== "esc-unavailable" && kind !== "shadowed");
  say(context, settings, untold);
  context.out(
    own["json"] === true ? explanationJson(explanation) : explanationText(explanation, positionals.length > 0),
  );
  return ExitStatus.ok;
};
