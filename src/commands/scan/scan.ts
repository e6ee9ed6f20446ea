import { ExitStatus } from "../../core/error.ts";
import { loadRedactAddon } from "../../launch/redact/addon.ts";
import { searchedFor } from "../../masking/masking.ts";
import { tell } from "../../output/colour.ts";
import { say, sayDown } from "../../output/say.ts";
import { sayLines } from "../../output/stderr.ts";
import { secretsOf, withoutSecrets } from "../../resolve/secrets.ts";
import { assessed } from "../assessed.ts";
import type { Command } from "../command.ts";
import { usageError } from "../mistakes.ts";
import { scanHistory, scanIndex } from "./objects.ts";
import { Session } from "./session.ts";
import { type Area, incompleteness, isComplete, json, text } from "./text.ts";
import { scanTree } from "./tree.ts";

/** `sophia-run scan`: 0; 1 if a secret is found; 2 if none is and not everything could be searched. */
export const scan: Command = async ({ options, positionals }, context) => {
  const [staged, history] = [options["staged"] === true, options["history"] === true];
  if (staged && history) {
    throw usageError("--staged and --history are two searches", "give one of them, and then the other");
  }
  const { settings, assessment } = await assessed(options, context);
  sayDown(context, assessment.esc);
  say(context, settings, assessment.notices);
  const { size, ...searched } = searchedFor(secretsOf(assessment));
  if (size === 0) {
    sayLines(context, [
      "warning: no secret has a value here, so there is nothing to search for",
      "set ESC_ENV and ESC_TOKEN to search for those of ESC; --require-esc makes it an error that they are missing",
    ]);
  }
  const addon = await loadRedactAddon();
  if (addon !== undefined) searched.automaton.use(addon);
  const session = new Session(searched, context);
  const git = { cwd: context.cwd, environment: withoutSecrets(context.environment, assessment.contract) };
  const area: Area = staged ? "index" : history ? "history" : "files";
  const search = { files: scanTree, index: scanIndex, history: scanHistory }[area];
  await search(session, git, positionals);
  const result = session.end();
  for (const warning of incompleteness(result)) sayLines(context, warning);
  if (options["json"] === true) context.out(json(result, size));
  else tell(context, text(result, size, area));
  if (result.findings.length > 0) return ExitStatus.unmet;
  return isComplete(result) ? ExitStatus.ok : ExitStatus.incomplete;
};
