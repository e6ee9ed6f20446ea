/**
 * The command `sophia-run enforce`. It writes the contract into an ESC environment as a schema, by which ESC itself checks the
 * values whenever the environment is saved or opened. `--check` compares the schema with the contract, and `--remove` removes it.
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
import { checkLines, createDiffLines, createGapLines } from "./enforce-text.ts";
import { findPresentViolations } from "./present-violations.ts";
import { planSchemaChange, type SchemaChange } from "./schema-change.ts";

/** One call of the command: what the user wants, what ESC has, and the change that follows. */
interface Enforcement {
  readonly request: EnforceRequest;
  readonly contract: Contract;
  /** All environments that the user named, and the token. */
  readonly access: EscTarget;
  /** The environment as it is now. */
  readonly current: EnvironmentState;
  readonly change: SchemaChange;
}

/**
 * Returns 0; 1 if `--check` finds a difference or the user declines, 3 if the change waits for an approval, and 78 if the present
 * values violate the contract.
 *
 * @throws SophiaError (125)
 */
export const enforce: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const request = parseRequest(options);
  const contract = await loadContract(settings, context);
  const isDry = options["dry-run"] === true || request.purpose === "check";
  const isConfirmed = options["yes"] === true;
  const access = await findWriteTarget(options["in"], settings, context, { isDry, isConfirmed });
  const current = await askOnlyEnvironment(requireOnlyEnvironment(access), readOrEvaluate);
  const change = planSchemaChange(request, contract, current);
  const enforcement: Enforcement = { request, contract, access, current, change };

  if (request.purpose === "check") return reportCheck(enforcement);
  if (change.editedYaml === undefined) return reportNoChange(enforcement);
  // With the schema, no program could open an environment whose values violate it.
  const violationLines = request.purpose === "write" ? createViolationLines(enforcement) : undefined;
  if (violationLines !== undefined) {
    const message = `Nothing was written: values of ${formatRevision(current)} violate the contract.`;
    printReport(context, [message, ...violationLines]);
    return ExitStatus.config;
  }
  printReport(context, [...createDiffLines(change, current), ...createGapLines(change)]);
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  if (!(await confirmChange(enforcement, isConfirmed))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  return writeChange(enforcement);
};

/** Reports whether the environment has the schema that follows from the contract (`--check`). @returns the exit status */
function reportCheck({ change, current, access: { context } }: Enforcement): number {
  printReport(context, checkLines(change, current));
  return change.editedYaml === undefined ? ExitStatus.ok : ExitStatus.unmet;
}

/** Reports that the environment needs no change. @returns the exit status */
function reportNoChange({ request: { purpose }, change, current, access: { context } }: Enforcement): number {
  const fact = purpose === "remove" ? "has no schema of a contract" : "is checked by this contract already";
  printReport(context, [`✅ ${formatName(current.name)} ${fact}.`, ...createGapLines(change)]);
  return ExitStatus.ok;
}

/** Returns the violations of the values that the environment has now; undefined if they meet the rules that the schema has. */
function createViolationLines({ contract, change, current, access }: Enforcement): readonly Line[] | undefined {
  const { settings, context } = access;
  const { violations, selected } = findPresentViolations(contract, change.isEnforced, current);
  if (violations.length === 0) return undefined;
  const name = formatName(current.name);
  const offer = chooseSetCommandInput(context);
  return reportViolations(violations, contract, selected, name, offer, findReusableContractFile(settings), true).lines;
}

/** Asks the user whether to make the change. Returns true at once if `--yes` confirms it. */
async function confirmChange({ request, current, access }: Enforcement, isConfirmed: boolean): Promise<boolean> {
  const environment = formatName(current.name);
  const target = restrictTarget(current.name, access);
  const isRemoval = request.purpose === "remove";
  // Without a question, the environments that use this one need not be known.
  const referrers = isRemoval || isConfirmed ? "" : await describeReferrers(target);
  const proposal = isRemoval
    ? `Remove the schema from ${environment}`
    : `Write the schema to ${environment}${referrers}`;
  return askForConfirmation(createWriteQuestion(proposal, access), isConfirmed, access.context);
}

/** Writes the change, planned again for each revision that another user writes meanwhile. @returns the exit status */
async function writeChange({ request, contract, access, current: { name } }: Enforcement): Promise<number> {
  const edit = (latest: EnvironmentState): string | undefined => planSchemaChange(request, contract, latest).editedYaml;
  const result = await askOnlyEnvironment(restrictTarget(name, access), (fullName, connection) =>
    changeEnvironment(fullName, connection, edit, [], readOrEvaluate),
  );
  const effect = requireChangeOrDraft(result, access);
  // A number is the exit status of a draft, which requireChangeOrDraft has reported.
  if (typeof effect === "number") return effect;
  const fact =
    request.purpose === "remove" ? "The schema is removed." : `ESC checks ${formatName(name)} by the contract now.`;
  printReport(access.context, `✅ ${fact} ${describeRevisions(effect)}\n`);
  return ExitStatus.ok;
}

/** The limit on the environments and stacks that the question names; the others are counted. */
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
  const verb = names.length === 1 && !hasMore ? "uses" : "use";
  return `, which ${enumerate([...shownNames, ...describeRest(hiddenCount, hasMore)])} ${verb}`;
}

/** @param hasMore true if the service has further referrers, whose number is not known */
function describeRest(hiddenCount: number, hasMore: boolean): readonly string[] {
  if (hasMore) return ["others"];
  return hiddenCount > 0 ? [`${hiddenCount} more`] : [];
}
