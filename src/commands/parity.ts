import type { Context } from "../context.ts";
import { loadContract } from "../contract/load.ts";
import { escAccess } from "../esc/access.ts";
import { evaluateEnvironments } from "../esc/evaluate.ts";
import { ExitStatus, SophiaError } from "../error.ts";
import { parityJson, parityText } from "../formats/parity.ts";
import { compareEnvironments } from "../parity.ts";
import type { Notice } from "../model.ts";
import { makeProgress } from "../progress.ts";
import { say } from "../say.ts";
import type { Settings } from "../settings.ts";
import { readDotenv } from "../sources/dotenv.ts";

/**
 * `sophia-run check --against A,B,…`: 1 where a declared variable is in one environment and missing in another.
 *
 * @throws SophiaError (125) where an environment cannot be evaluated
 */
export async function compare(against: string, settings: Settings, json: boolean, context: Context): Promise<number> {
  const dotenv = await readDotenv(settings.envFiles, context.cwd);
  const { access, notices } = escAccess(context.environment, dotenv.layers, {
    ...settings,
    environments: { value: against, option: "--against" },
  });
  if (access.kind !== "on") {
    const missing = access.kind === "incomplete" ? access.missing : "ESC_TOKEN";
    throw new SophiaError({
      code: "esc-required",
      message: `--against asks ESC, and ${missing} is not set`,
      hint: "set ESC_TOKEN to an access token that may read all of the environments",
    });
  }
  const pinned = access.settings.environments.find(({ version }) => version !== undefined);
  if (pinned !== undefined) {
    throw new SophiaError({
      code: "usage",
      message: `--against: '${pinned.text}' pins a version`,
      hint: "leave out what follows the @: without opening an environment only its latest revision can be looked at",
    });
  }
  const contract = await loadContract({
    cwd: context.cwd,
    ...(settings.contractFile === undefined ? {} : { file: settings.contractFile }),
    ...(settings.profile === undefined ? {} : { profile: settings.profile }),
  });
  const progress = makeProgress(context, settings);
  const { signal } = new AbortController();
  const answers = await evaluateEnvironments(access.settings, progress, signal).finally(progress.done);
  if (answers.kind === "unavailable") throw new SophiaError(answers.failure);
  const remarks = answers.results.flatMap(({ name, diagnostics }): readonly Notice[] =>
    diagnostics.length === 0 ? [] : [{ kind: "esc-diagnostics", environment: name, diagnostics }],
  );
  say(context, settings, [...dotenv.notices, ...notices, ...answers.remarks, ...remarks]);
  const parity = compareEnvironments(contract, answers.results);
  context.out(json ? parityJson(parity) : parityText(parity));
  return parity.drift ? ExitStatus.unmet : ExitStatus.ok;
}
