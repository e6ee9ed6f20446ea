import { ExitStatus } from "../../core/error.ts";
import { count } from "../../core/text.ts";
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
import { Session, type Result } from "./session.ts";
import { json, text } from "./text.ts";
import { scanTree } from "./tree.ts";

/** So many files that could not be read are named. */
const MOST_NAMED = 5;

/** `sophia-run scan`: 0, or 1 where a secret is found. */
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
  if (staged) await scanIndex(session, git, positionals);
  else if (history) {
    if (await scanHistory(session, git, positionals)) {
      sayLines(context, [
        "warning: this is a shallow clone: only part of the history was searched",
        "git fetch --unshallow gets the rest",
      ]);
    }
  } else await scanTree(session, git, positionals);
  const result = session.end();
  sayUnread(result, (lines) => sayLines(context, lines));
  if (options["json"] === true) context.out(json(result, size));
  else tell(context, text(result, size, history ? "object" : "file"));
  return result.findings.length === 0 ? ExitStatus.ok : ExitStatus.unmet;
};

function sayUnread({ unread }: Result, warn: (lines: readonly [string, ...string[]]) => void): void {
  if (unread.length === 0) return;
  const named = unread.slice(0, MOST_NAMED).map(({ file, why }) => `${file} (${why})`);
  const more = unread.length > MOST_NAMED ? [`and ${unread.length - MOST_NAMED} more`] : [];
  warn([`warning: ${count(unread.length, "file")} could not be read and may hold secrets`, ...named, ...more]);
}
