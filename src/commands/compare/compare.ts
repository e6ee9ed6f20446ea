import type { Context } from "../../core/context.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import { pulumiTokenRemedy } from "../../esc/settings/pulumi-token.ts";
import { settingsByFullNames } from "../../esc/api/detect-changes.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { evaluate, type EvaluatedEnvironment } from "../../esc/api/evaluate.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { SILENT } from "../../esc/transport/connection.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { comparisonJson, comparisonText } from "./comparison-text.ts";
import { type Notice, formatDiagnostic } from "../../core/model.ts";
import { printReport } from "../../output/colour.ts";
import { layoutFor } from "../../output/layout.ts";
import { describeNotice } from "../../output/notice-words.ts";
import { setOffer } from "../../output/unmet.ts";
import { namedContract } from "../../output/violations.ts";
import { environmentGates, gateWords } from "../check/environments.ts";
import { compareEnvironments } from "./comparison.ts";
import { makeProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { conflict } from "../parts/usage-errors.ts";
import type { Values } from "../../command-line/options.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { notAllowed, unallowed } from "../../access/consent-words.ts";
import { findEscAccess } from "../parts/command-access.ts";

/**
 * `check --against A,B,…`, which opens no environment: 1 for a certain violation or, with `--strict`, for drift; else 0.
 *
 * @throws SophiaError (125) if an environment cannot be evaluated
 */
export async function compare(names: string, options: Values, json: boolean, context: Context): Promise<number> {
  const settings = resolveSettings(options, context.environment);
  const contract = await loadContract(settings, context);
  const { settings: escSettings, notices: accessNotices } = await access(names, settings, contract, context);
  const progress = await makeProgress(context, settings);
  const answers = await askEsc(escSettings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  const found = answers.results.map(({ name }) => name);
  const gates = await environmentGates(settingsByFullNames(escSettings, found), SILENT);
  const notices = [
    ...accessNotices,
    ...answers.remarks,
    ...answers.results.flatMap(remarks),
    ...gates.map((one) => remark(gateWords(one))),
  ];
  printNotices(context, settings, notices);
  const comparison = compareEnvironments(
    contract,
    answers.results,
    options["strict"] === true,
    setOffer(context),
    namedContract(settings),
  );
  if (json) {
    context.out(
      comparisonJson(
        comparison,
        notices.map((one) => describeNotice(one)[0]),
      ),
    );
  } else printReport(context, comparisonText(comparison, layoutFor(context, 1).width));
  return comparison.passed ? ExitStatus.ok : ExitStatus.unmet;
}

async function access(
  names: string,
  settings: Settings,
  contract: Contract,
  context: Context,
): Promise<{ readonly settings: EscSettings; readonly notices: readonly Notice[] }> {
  if (settings.fake !== undefined) {
    throw conflict("--against", "--fake (SOPHIA_FAKE)");
  }
  const environments = { value: names, option: "--against" };
  const { access: esc, notices, dotenv } = await findEscAccess(settings, context, { environments }, { contract });
  if (esc.kind === "unconsented") throw notAllowed(unallowed(esc, contract));
  if (esc.kind === "on") return { settings: esc.settings, notices: [...dotenv.notices, ...notices] };
  const missing = esc.kind === "incomplete" ? esc.missing : "ESC_TOKEN";
  throw new SophiaError({
    code: "esc-required",
    message: `--against needs ESC, but ${missing} is not set`,
    details: pulumiTokenRemedy(missing, context.environment),
    hint: "set ESC_TOKEN to an access token with read permission for all of these environments",
  });
}

function remarks({ name, diagnostics, notices }: EvaluatedEnvironment): readonly Notice[] {
  // Formatted without "warning:", which the notice adds. Errors have ended the command before.
  const texts = diagnostics.map((one) => formatDiagnostic({ ...one, severity: "error" }));
  const environment = formatName(name);
  return [...texts.map((text) => remark(`ESC environment ${environment}: ${text}`)), ...notices];
}

function remark(text: string): Notice {
  return { kind: "remark", text };
}
