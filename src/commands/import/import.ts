/**
 * The command `sophia-run import FILE`. It writes the variables of a `.env` file to an ESC environment in one revision, and
 * then offers to remove them from the file.
 */
import { resolve } from "node:path";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { didYouMean } from "../../core/suggest.ts";
import { count, printable } from "../../core/text.ts";
import { formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { formatName, type FullName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { referenceNotices } from "../../resolve/reference-notices.ts";
import { readDotenv } from "../../sources/dotenv/index.ts";
import type { Command } from "../command.ts";
import { canAskUser, askForConfirmation } from "../parts/confirm.ts";
import { usageError } from "../parts/usage-errors.ts";
import { findProjectRoot } from "../parts/project-root.ts";
import {
  askOnlyEnvironment,
  type EscTarget,
  requireOnlyEnvironment,
  restrictTarget,
} from "../parts/writing/esc-target.ts";
import { findWriteTarget, createWriteQuestion } from "../parts/writing/write-access.ts";
import { describeRevisions, writeValues } from "../parts/writing/write-change.ts";
import {
  type SelectedValues,
  type ValueToWrite,
  refuseSecretAsPlainText,
  selectValuesToWrite,
} from "../parts/writing/value-to-write.ts";
import { createPlanner, isChange, type PlannedValue } from "../parts/writing/write-plan.ts";
import { describePlan } from "../parts/writing/write-plan-text.ts";
import { offerRemoval } from "./removal.ts";

/** The option that the plan proposes for values in plain text. */
const PLAIN_OPTION = "--plain NAME";

/** Returns 0 if ESC has all values, 1 if it keeps others or the user declines, 3 for a draft. @throws SophiaError (125) */
export const importFile: Command = async ({ options, positionals: [path = ""] }, context) => {
  const settings = resolveSettings(options, context.environment);
  const isConfirmed = options["yes"] === true;
  const isDry = options["dry-run"] === true;
  const mayOverwrite = options["overwrite"] === true;
  const { values, omitted, notices } = await readImportedFile(path, options["plain"], settings, context);
  // The settings may come from the same file, whose notices are printed already.
  const targetOptions = { isDry, isConfirmed, reported: notices };
  const target = await findWriteTarget(options["in"], settings, context, targetOptions);

  const environmentState = await askOnlyEnvironment(
    requireOnlyEnvironment(target),
    isDry ? readToShow : readOrEvaluate,
  );
  const plan = values.map(createPlanner(environmentState, mayOverwrite));
  printReport(context, describePlan(plan, `${path} into ${formatRevision(environmentState)}`, PLAIN_OPTION, omitted));
  const changes = plan.filter(isChange);
  const sameValues = plan.filter(isSameInEsc);
  // The other values of the plan are kept in ESC, since the user did not give --overwrite.
  const status = changes.length + sameValues.length < plan.length ? ExitStatus.unmet : ExitStatus.ok;
  if (isDry) {
    printReport(context, `Nothing was written: --dry-run. ${count(changes.length, "variable")} would be.\n`);
    return status;
  }
  const result = await confirmAndWrite(changes, environmentState.name, target, { isConfirmed, mayOverwrite });
  if (result.kind === "ended") return result.status;
  if (result.kind === "not-read-back") return status;
  if (result.isAnyKept) return ExitStatus.unmet;
  if (!isConfirmed && canAskUser(context)) {
    const file = { path: resolve(context.cwd, path), name: path, root: findProjectRoot(context.cwd) };
    await offerRemoval(file, [...sameValues, ...result.written], context);
  }
  return status;
};

/**
 * Reads the variables of the file, prints the notices about them, and decides which of them are written.
 *
 * @param plainOption the value of `--plain`
 */
async function readImportedFile(
  path: string,
  plainOption: unknown,
  settings: Settings,
  context: Context,
): Promise<SelectedValues & { readonly notices: readonly Notice[] }> {
  const dotenv = await readDotenv([{ path, required: true }], context);
  const variables = dotenv.layers.flatMap((layer) => layer.variables);
  printNotices(context, settings, [...dotenv.notices, ...referenceNotices(variables)]);
  const contract = await loadContract(settings, context);
  const plainTextNames = parsePlainOption(plainOption, variables, contract, path);
  return { ...selectValuesToWrite(variables, contract, plainTextNames), notices: dotenv.notices };
}

/** The result of writing the values. */
type WriteResult =
  /** The user declined, or the change waits for an approval. `status` is the exit status. */
  | { readonly kind: "ended"; readonly status: number }
  /** The values are written, but the environment does not open without an approval, so that they cannot be compared. */
  | { readonly kind: "not-read-back" }
  /** `written` are the values that ESC has now. With `isAnyKept`, ESC keeps a value that another user has set meanwhile. */
  | { readonly kind: "read-back"; readonly written: readonly ValueToWrite[]; readonly isAnyKept: boolean };

/** Writes the values after the user's confirmation, if there are any. */
async function confirmAndWrite(
  changes: readonly PlannedValue[],
  environmentName: FullName,
  target: EscTarget,
  { isConfirmed, mayOverwrite }: { readonly isConfirmed: boolean; readonly mayOverwrite: boolean },
): Promise<WriteResult> {
  const { context } = target;
  if (changes.length === 0) {
    printReport(context, "✅ Nothing to change.\n");
    return { kind: "read-back", written: [], isAnyKept: false };
  }
  const changeCount = count(changes.length, "variable");
  const question = createWriteQuestion(`Write ${changeCount} to ${formatName(environmentName)}`, target);
  if (!(await askForConfirmation(question, isConfirmed, context))) {
    printReport(context, "Nothing was written.\n");
    return { kind: "ended", status: ExitStatus.unmet };
  }
  return writeChanges(changes, mayOverwrite, restrictTarget(environmentName, target));
}

/** Writes the values, reads them back, and reports the result. */
async function writeChanges(
  changes: readonly PlannedValue[],
  mayOverwrite: boolean,
  target: ReturnType<typeof restrictTarget>,
): Promise<WriteResult> {
  const { context } = target;
  const change = await writeValues(changes, mayOverwrite, target);
  // A number is the exit status of a draft, which writeValues has reported.
  if (typeof change === "number") return { kind: "ended", status: change };
  if (change.after.hidden !== undefined) {
    const writtenLine = `✅ ${count(changes.length, "variable")} written. ${describeRevisions(change)}\n`;
    const reason = `   Not read back: opening ${formatName(change.after.name)} requires an approval.\n`;
    printReport(context, writtenLine + reason);
    return { kind: "not-read-back" };
  }
  // Another user may have set a variable while this command wrote. That value stays, and is reported.
  const planAfter = changes.map(createPlanner(change.after, false));
  const written = planAfter.filter(isSameInEsc);
  printReport(context, `✅ ${count(written.length, "variable")} written and read back. ${describeRevisions(change)}\n`);
  const keptValues = planAfter.filter((planned) => !isSameInEsc(planned) && !isChange(planned));
  if (keptValues.length > 0) printReport(context, describePlan(keptValues, formatRevision(change.after), PLAIN_OPTION));
  return { kind: "read-back", written, isAnyKept: keptValues.length > 0 };
}

function isSameInEsc({ state }: PlannedValue): boolean {
  return state === "same";
}

/**
 * Returns the names of `--plain`.
 *
 * @throws SophiaError (usage, 125) if the file lacks one, or the contract declares it secret
 */
function parsePlainOption(
  option: unknown,
  variables: readonly Variable[],
  contract: Contract,
  path: string,
): ReadonlySet<string> {
  const names: readonly string[] = Array.isArray(option) ? option : [];
  const namesInFile = variables.map(({ name }) => name);
  for (const name of names) {
    if (!namesInFile.includes(name)) {
      throw usageError(`--plain: ${printable(path)} does not set ${printable(name)}${didYouMean(name, namesInFile)}`);
    }
    refuseSecretAsPlainText(name, contract, "--plain");
  }
  return new Set(names);
}
