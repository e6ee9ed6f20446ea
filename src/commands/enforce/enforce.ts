/**
 * `sophia-run enforce`: writes the contract into an ESC environment as a schema, by which ESC itself checks the values whenever the
 * environment is saved or opened. `--check` compares the schema with the contract, and `--remove` removes it.
 */
import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { enumerate } from "../../core/text.ts";
import { changeEnvironment, type EnvironmentState, formatRevision, readOrEvaluate } from "../../esc/api/change.ts";
import { listReferrers } from "../../esc/api/referrers.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import { createProgress } from "../../output/progress.ts";
import { findReusableContractFile, reportViolations } from "../../output/violations.ts";
import { chooseSetCommandInput } from "../../output/unmet.ts";
import type { Command } from "../command.ts";
import { askEachEnvironment } from "../parts/esc-requests.ts";
import { canAskUser, askForConfirmation } from "../parts/confirm.ts";
import {
  askOnlyEnvironment,
  type EscTarget,
  requireOnlyEnvironment,
  restrictTarget,
} from "../parts/writing/esc-target.ts";
import { findWriteTarget, createWriteQuestion } from "../parts/writing/write-access.ts";
import { requireChangeOrDraft, describeRevisions } from "../parts/writing/write-change.ts";
import { type EnforceRequest, parseRequest } from "./enforce-request.ts";
import { checkLines, diffLines, gapLines } from "./enforce-text.ts";
import { presentViolations } from "./present-violations.ts";
import { planSchemaChange, type SchemaChange } from "./schema-change.ts";

/**
 * Returns 0; 1 if `--check` finds a difference or the user declines, 3 if the change waits for an approval, and 78 if the present
 * values violate the contract. @throws SophiaError (125)
 */
export const enforce: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const request = parseRequest(options);
  const { purpose } = request;
  const contract = await loadContract(settings, context);
  const isDry = options["dry-run"] === true || purpose === "check";
  const isConfirmed = options["yes"] === true;
  const access = await findWriteTarget(options["in"], settings, context, { isDry, isConfirmed });
  const current = await askOnlyEnvironment(requireOnlyEnvironment(access), readOrEvaluate);
  const change = planSchemaChange(request, contract, current);
  const environment = formatName(current.name);

  if (purpose === "check") {
    printReport(context, checkLines(change, current));
    return change.edited === undefined ? ExitStatus.ok : ExitStatus.unmet;
  }
  if (change.edited === undefined) {
    const fact = purpose === "remove" ? "has no schema of a contract" : "is checked by this contract already";
    printReport(context, [`✅ ${environment} ${fact}.`, ...gapLines(change)]);
    return ExitStatus.ok;
  }
  if (purpose === "write") {
    // With the schema, no program could open an environment whose values violate it.
    const lines = violationLines(contract, change, current, access);
    if (lines !== undefined) {
      const message = `Nothing was written: values of ${formatRevision(current)} violate the contract.`;
      printReport(context, [message, ...lines]);
      return ExitStatus.config;
    }
  }
  printReport(context, [...diffLines(change, current), ...gapLines(change)]);
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  const target = restrictTarget(current.name, access);
  // Without a question, the environments that use this one need not be known.
  const referrers = purpose === "remove" || isConfirmed ? "" : await describeReferrers(target);
  const proposal =
    purpose === "remove" ? `Remove the schema from ${environment}` : `Write the schema to ${environment}${referrers}`;
  if (!(await askForConfirmation(createWriteQuestion(proposal, access), isConfirmed, context))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  return writeChange(request, contract, current, access);
};

/** Returns the violations of the values that the environment has now; undefined if they meet the rules that the schema has. */
function violationLines(
  contract: Contract,
  { isEnforced }: SchemaChange,
  current: EnvironmentState,
  { settings, context }: EscTarget,
): readonly Line[] | undefined {
  const { violations, selected } = presentViolations(contract, isEnforced, current);
  if (violations.length === 0) return undefined;
  const name = formatName(current.name);
  const offer = chooseSetCommandInput(context);
  return reportViolations(violations, contract, selected, name, offer, findReusableContractFile(settings), true).lines;
}

/** Writes the change, planned again for each revision that another user writes meanwhile. @returns the status */
async function writeChange(
  request: EnforceRequest,
  contract: Contract,
  { name }: EnvironmentState,
  access: EscTarget,
): Promise<number> {
  const edit = (now: EnvironmentState): string | undefined => planSchemaChange(request, contract, now).edited;
  const result = await askOnlyEnvironment(restrictTarget(name, access), (fullName, connection) =>
    changeEnvironment(fullName, connection, edit, [], readOrEvaluate),
  );
  const change = requireChangeOrDraft(result, access);
  if (typeof change === "number") return change;
  const fact =
    request.purpose === "remove" ? "The schema is removed." : `ESC checks ${formatName(name)} by the contract now.`;
  printReport(access.context, `✅ ${fact} ${describeRevisions(change)}\n`);
  return ExitStatus.ok;
}

const MAX_REFERRERS = 5;

/** Names the environments and stacks that a schema also affects, for a question; empty if the service names none. */
async function describeReferrers({ esc, settings, context }: EscTarget): Promise<string> {
  if (!canAskUser(context)) return "";
  const progress = await createProgress(context, settings);
  const [referrers] = await askEachEnvironment(esc, progress, listReferrers).finally(progress.done);
  const { names = [], hasMore = false } = referrers ?? {};
  if (names.length === 0) return "";
  const shownNames = names.slice(0, MAX_REFERRERS);
  const hiddenCount = names.length - shownNames.length;
  const rest = hasMore ? ["others"] : hiddenCount > 0 ? [`${hiddenCount} more`] : [];
  const verb = names.length === 1 && !hasMore ? "uses" : "use";
  return `, which ${enumerate([...shownNames, ...rest])} ${verb}`;
}
