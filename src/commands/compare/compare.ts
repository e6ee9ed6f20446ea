/**
 * The command `sophia-run check --against dev,prod`. It compares which variables the ESC environments define, without opening them,
 * and checks each of them against the contract.
 */
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
import { chooseSetCommandInput } from "../../output/unmet.ts";
import { findReusableContractFile } from "../../output/violations.ts";
import { readEnvironmentGates, describeGate } from "../check/environments.ts";
import { compareEnvironments } from "./comparison.ts";
import { createProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { conflictError } from "../parts/usage-errors.ts";
import type { Values } from "../../command-line/options.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { notAllowedError, collectConsentFacts } from "../../access/consent-words.ts";
import { findEscAccess } from "../parts/command-access.ts";

/**
 * Compares the environments and prints the report. No environment is opened, because that would make providers issue credentials.
 *
 * @param names the value of `--against`
 * @returns 1 for a certain violation and, with `--strict`, for drift; otherwise 0
 * @throws SophiaError (125) if an environment cannot be evaluated
 */
export async function compare(names: string, options: Values, asJson: boolean, context: Context): Promise<number> {
  const settings = resolveSettings(options, context.environment);
  const contract = await loadContract(settings, context);
  const { settings: escSettings, notices: accessNotices } = await accessByNames(names, settings, contract, context);
  const progress = await createProgress(context, settings);
  const answers = await askEsc(escSettings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  const fullNames = answers.results.map(({ name }) => name);
  const gates = await readEnvironmentGates(settingsByFullNames(escSettings, fullNames), SILENT);
  const notices = [
    ...accessNotices,
    ...answers.remarks,
    ...answers.results.flatMap(evaluationNotices),
    ...gates.map((gate) => createRemark(describeGate(gate))),
  ];
  printNotices(context, settings, notices);
  const comparison = compareEnvironments(
    contract,
    answers.results,
    options["strict"] === true,
    chooseSetCommandInput(context),
    findReusableContractFile(settings),
  );
  if (asJson) {
    const noticeTexts = notices.map((notice) => describeNotice(notice)[0]);
    context.out(comparisonJson(comparison, noticeTexts));
  } else printReport(context, comparisonText(comparison, layoutFor(context, 1).width));
  return comparison.passed ? ExitStatus.ok : ExitStatus.unmet;
}

/** Returns the settings of ESC for these environments. @throws SophiaError (125) if ESC is not configured, or the user has not allowed the environments */
async function accessByNames(
  names: string,
  settings: Settings,
  contract: Contract,
  context: Context,
): Promise<{ readonly settings: EscSettings; readonly notices: readonly Notice[] }> {
  if (settings.fake !== undefined) {
    throw conflictError("--against", "--fake (SOPHIA_FAKE)");
  }
  const environments = { value: names, option: "--against" };
  const { access: esc, notices, dotenv } = await findEscAccess(settings, context, { environments }, { contract });
  if (esc.kind === "unconsented") throw notAllowedError(collectConsentFacts(esc, contract));
  if (esc.kind === "on") return { settings: esc.settings, notices: [...dotenv.notices, ...notices] };
  const missing = esc.kind === "incomplete" ? esc.missing : "ESC_TOKEN";
  throw new SophiaError({
    code: "esc-required",
    message: `--against needs ESC, but ${missing} is not set`,
    details: pulumiTokenRemedy(missing, context.environment),
    hint: "set ESC_TOKEN to an access token with read permission for all of these environments",
  });
}

/** Returns the warnings of ESC about a definition, and the notices about its values. */
function evaluationNotices({ name, diagnostics, notices }: EvaluatedEnvironment): readonly Notice[] {
  // An error would have ended the command before, so all diagnostics are warnings. They are formatted as errors here, because
  // `formatDiagnostic` would put "warning:" before a warning, and so does the notice.
  const texts = diagnostics.map((diagnostic) => formatDiagnostic({ ...diagnostic, severity: "error" }));
  const environment = formatName(name);
  return [...texts.map((text) => createRemark(`ESC environment ${environment}: ${text}`)), ...notices];
}

function createRemark(text: string): Notice {
  return { kind: "remark", text };
}
