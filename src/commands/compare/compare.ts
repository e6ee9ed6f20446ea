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
import { formatComparisonJson, formatComparison } from "./comparison-text.ts";
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
 * Compares the environments and prints the report.
 *
 * @param environmentNames the value of `--against`, such as `dev,prod`
 * @param options the other options of `check`, such as `--strict`
 * @returns 1 for a certain violation and, with `--strict`, for drift; otherwise 0
 * @throws SophiaError (125) if an environment cannot be evaluated
 */
export async function compare(environmentNames: string, options: Values, context: Context): Promise<number> {
  const settings = resolveSettings(options, context.environment);
  const contract = await loadContract(settings, context);
  const escAccess = await requireEscAccess(environmentNames, settings, contract, context);
  const { environments, notices } = await evaluateEnvironments(escAccess, settings, context);
  printNotices(context, settings, notices);
  const comparison = compareEnvironments(contract, environments, {
    isStrict: options["strict"] === true,
    offer: chooseSetCommandInput(context),
    contractFile: findReusableContractFile(settings),
  });
  if (options["json"] === true) {
    const noticeTexts = notices.map((notice) => describeNotice(notice)[0]);
    context.out(formatComparisonJson(comparison, noticeTexts));
  } else printReport(context, formatComparison(comparison, layoutFor(context, 1).width));
  return comparison.hasPassed ? ExitStatus.ok : ExitStatus.unmet;
}

/** The permission to evaluate the environments. */
interface EscAccess {
  readonly escSettings: EscSettings;
  /** The notices about the files and variables that give the access. */
  readonly accessNotices: readonly Notice[];
}

/**
 * Returns the access to the environments that the user named.
 *
 * @throws SophiaError (125) if ESC is not configured, or the user has not allowed the environments
 */
async function requireEscAccess(
  environmentNames: string,
  settings: Settings,
  contract: Contract,
  context: Context,
): Promise<EscAccess> {
  if (settings.fake !== undefined) {
    throw conflictError("--against", "--fake (SOPHIA_FAKE)");
  }
  const environments = { value: environmentNames, option: "--against" };
  const { access, notices, dotenv } = await findEscAccess(settings, context, { environments }, { contract });
  if (access.kind === "unconsented") throw notAllowedError(collectConsentFacts(access, contract));
  if (access.kind === "on") {
    return { escSettings: access.settings, accessNotices: [...dotenv.notices, ...notices] };
  }
  const missingVariable = access.kind === "incomplete" ? access.missing : "ESC_TOKEN";
  throw new SophiaError({
    code: "esc-required",
    message: `--against needs ESC, but ${missingVariable} is not set`,
    details: pulumiTokenRemedy(missingVariable, context.environment),
    hint: "set ESC_TOKEN to an access token with read permission for all of these environments",
  });
}

/** Environments as ESC knows them without opening them, and all notices for the user. */
interface Evaluation {
  readonly environments: readonly EvaluatedEnvironment[];
  readonly notices: readonly Notice[];
}

/**
 * Asks ESC for the environments. No environment is opened, because that would make providers issue credentials.
 *
 * @throws SophiaError (125) if an environment cannot be evaluated
 */
async function evaluateEnvironments(
  { escSettings, accessNotices }: EscAccess,
  settings: Settings,
  context: Context,
): Promise<Evaluation> {
  const progress = await createProgress(context, settings);
  const answers = await askEsc(escSettings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  const environments = answers.results;
  const fullNames = environments.map(({ name }) => name);
  const gates = await readEnvironmentGates(settingsByFullNames(escSettings, fullNames), SILENT);
  const notices = [
    ...accessNotices,
    ...answers.remarks,
    ...environments.flatMap(createEvaluationNotices),
    ...gates.map((gate) => createRemark(describeGate(gate))),
  ];
  return { environments, notices };
}

/** Returns the warnings of ESC about a definition, and the notices about its values. */
function createEvaluationNotices({ name, diagnostics, notices }: EvaluatedEnvironment): readonly Notice[] {
  // An error would have ended the command before, so all diagnostics are warnings. They are formatted as errors here, because
  // `formatDiagnostic` would put "warning:" before a warning, and so does the notice.
  const texts = diagnostics.map((diagnostic) => formatDiagnostic({ ...diagnostic, severity: "error" }));
  const environment = formatName(name);
  return [...texts.map((text) => createRemark(`ESC environment ${environment}: ${text}`)), ...notices];
}

function createRemark(text: string): Notice {
  return { kind: "remark", text };
}
