import type { Context } from "../../core/context.ts";
import { loadContract } from "../../contract/load.ts";
import { escAccess, type EscSettings } from "../../esc/settings/access.ts";
import { settingsByFullNames } from "../../esc/api/follow.ts";
import { evaluateEnvironments, type EvaluatedEnvironment } from "../../esc/api/evaluate.ts";
import { formatName } from "../../esc/settings/names.ts";
import { SILENT } from "../../esc/transport/connection.ts";
import { formatDiagnostic } from "../../core/diagnostic.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { comparisonJson, comparisonText } from "./text.ts";
import type { Notice } from "../../core/model.ts";
import { tell } from "../../output/colour.ts";
import { layoutFor } from "../../output/layout.ts";
import { describeNotice } from "../../output/notices.ts";
import { setOffer } from "../../output/unmet.ts";
import { environmentGates, gateWords } from "../check/gates.ts";
import { compareEnvironments } from "./comparison.ts";
import { makeProgress } from "../../output/progress.ts";
import { say } from "../../output/say.ts";
import type { Values } from "../../command-line/options.ts";
import { settle, type Settings } from "../../command-line/settings.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";

/**
 * `sophia-run check --against A,B,…`: 1 if one of them surely breaks a rule of the contract and, with `--strict`, if a
 * variable is set in one environment and missing in another; else 0. Nothing is opened.
 *
 * @param names as `ESC_ENV` has them, separated by commas
 * @throws SophiaError (125) if an environment cannot be evaluated, naming it
 */
export async function compare(names: string, options: Values, json: boolean, context: Context): Promise<number> {
  const settings = settle(options, context.environment);
  const { settings: escSettings, notices: accessNotices } = await access(names, settings, context);
  const contract = await loadContract({ ...settings, cwd: context.cwd });
  const progress = await makeProgress(context, settings);
  const answers = await evaluateEnvironments(escSettings, progress).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  const found = answers.results.map(({ name }) => name);
  const gates = await environmentGates(settingsByFullNames(escSettings, found), SILENT);
  const notices = [
    ...accessNotices,
    ...answers.remarks,
    ...answers.results.flatMap(remarks),
    ...gates.map((one) => remark(gateWords(one))),
  ];
  say(context, settings, notices);
  const comparison = compareEnvironments(contract, answers.results, options["strict"] === true, setOffer(context));
  if (json) {
    const told = notices.map((one) => describeNotice(one)[0]);
    context.out(comparisonJson(comparison, told));
  } else tell(context, comparisonText(comparison, layoutFor(context, 1).width));
  return comparison.passed ? ExitStatus.ok : ExitStatus.unmet;
}

async function access(
  names: string,
  settings: Settings,
  { environment, cwd }: Context,
): Promise<{ readonly settings: EscSettings; readonly notices: readonly Notice[] }> {
  if (settings.fake) {
    throw new SophiaError({
      code: "usage",
      message: "--against asks ESC, which --fake (SOPHIA_FAKE) rules out",
      hint: "leave one of them out",
    });
  }
  const dotenv = await readEnvFiles(settings, cwd, environment);
  const { access: found, notices } = escAccess(environment, dotenv.layers, {
    ...settings,
    environments: { value: names, option: "--against" },
  });
  if (found.kind === "on") return { settings: found.settings, notices: [...dotenv.notices, ...notices] };
  throw new SophiaError({
    code: "esc-required",
    message: `--against asks ESC, yet ${found.kind === "incomplete" ? found.missing : "ESC_TOKEN"} is not set`,
    hint: "set ESC_TOKEN to an access token that may read all of these environments",
  });
}

function remarks({ name, diagnostics, notices }: EvaluatedEnvironment): readonly Notice[] {
  // The notice says itself that it is a warning; errors do not come this far.
  const said = diagnostics.map((one) => formatDiagnostic({ ...one, severity: "error" }));
  const environment = formatName(name);
  return [...said.map((text) => remark(`ESC environment ${environment}: ${text}`)), ...notices];
}

function remark(text: string): Notice {
  return { kind: "remark", text };
}
