/**
 * The command `sophia-run set NAME…`. It writes the values of variables to an ESC environment, from prompts or the standard
 * input:
 *
 *     pass show qdrant | sophia-run set QDRANT_API_KEY --in acme/app/prod
 *
 * The steps are: check the names, read the environment, read the new values, show the plan, ask the user, write, and read the
 * values back. If another user gives one of these variables another value in the meantime, nothing is written
 * (`refuseChangedValues`), so that this value is not lost.
 */
import type { Values } from "../../command-line/options.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { declarationOf, isDeclared } from "../../contract/check-contract.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus } from "../../core/error.ts";
import { didYouMean } from "../../core/suggest.ts";
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import { type EnvironmentState, formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { askYesOrNo, canAskUser } from "../parts/confirm.ts";
import { usageError } from "../parts/usage-errors.ts";
import { findAgentVariable } from "../run/agents.ts";
import {
  askOnlyEnvironment,
  type EscTarget,
  requireOnlyEnvironment,
  restrictTarget,
} from "../parts/writing/esc-target.ts";
import { findWriteTarget, createWriteQuestion } from "../parts/writing/write-access.ts";
import { createConflictError, describeRevisions, findValue, writeValues } from "../parts/writing/write-change.ts";
import {
  type ValueToWrite,
  createValueToWrite,
  refuseSecretAsPlainText,
  findReservation,
} from "../parts/writing/value-to-write.ts";
import { isChange, type PlannedValue, createPlanner, planWithoutValue } from "../parts/writing/write-plan.ts";
import { describePlan } from "../parts/writing/write-plan-text.ts";
import { readValueToWrite } from "../parts/writing/given-value.ts";
import { describeValueOnCommandLine } from "../parts/writing/write-options.ts";

/** Matches the name of a variable that a shell accepts. */
const VARIABLE_NAME = /^[A-Za-z_]\w*$/;

/** One call of the command, with the state of the environment before the change. */
interface SetRun {
  /** The variables that the user has named. */
  readonly names: readonly string[];
  readonly contract: Contract;
  readonly isDry: boolean;
  readonly isConfirmed: boolean;
  /** True with `--plain`: the values are not stored as secrets. */
  readonly isPlainText: boolean;
  /** The token, and the environment to change. */
  readonly target: EscTarget;
  /** The environment before the change. */
  readonly initialState: EnvironmentState;
  /** The values before the change, by name; undefined for a variable without a value. */
  readonly oldValues: ReadonlyMap<string, string | undefined>;
  /** Returns true if the variable's value in ESC may be replaced. */
  readonly mayOverwrite: (name: string) => boolean;
  readonly context: Context;
}

/** Returns 0 if ESC has the values, 1 if it keeps others or the user declines, 3 for a draft. @throws SophiaError (125) */
export const set: Command = async ({ options, positionals: names }, callerContext) => {
  const context = withoutPromptsForAgent(callerContext);
  const run = await prepareRun(names, options, context);
  const keptVariables = findKeptVariables(run);
  // The user must not type values that would not be written.
  if (keptVariables.length > 0 && canAskUser(context)) {
    printPlan(keptVariables, run);
    return ExitStatus.unmet;
  }

  const values = await readValues(run);
  const plan = values.map(createPlanner(run.initialState, run.mayOverwrite));
  printPlan(plan, run);
  const unequalValues = plan.filter(({ state }) => state !== "same");
  if (unequalValues.length === 0) return ExitStatus.ok;
  // The plan has said why a value must not be replaced. Then none of the values is written.
  if (!unequalValues.every(isChange)) return ExitStatus.unmet;

  const isMisspellingAllowed = run.isConfirmed || run.isDry || canAskUser(context);
  for (const name of names) warnOfMisspelling(name, isMisspellingAllowed, run.contract, context);
  if (run.isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  if (!(await confirmWriting(run))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  return writeAndReport(values, run);
};

/** Checks the arguments, and reads the state of the environment. @throws SophiaError (125) */
async function prepareRun(names: readonly string[], options: Values, context: Context): Promise<SetRun> {
  const settings = resolveSettings(options, context.environment);
  const isDry = options["dry-run"] === true;
  const isConfirmed = options["yes"] === true;
  const isPlainText = options["plain"] === true;
  const contract = await loadContract(settings, context);
  requireNames(names, contract, context);
  if (isPlainText) for (const name of names) refuseSecretAsPlainText(name, contract, "--plain");
  const access = await findWriteTarget(options["in"], settings, context, { isDry, isConfirmed });
  const initialState = await askOnlyEnvironment(requireOnlyEnvironment(access), isDry ? readToShow : readOrEvaluate);
  const target = restrictTarget(initialState.name, access);
  const oldValues = new Map(names.map((name) => [name, findValue(initialState, name)]));
  // A declared variable with an empty value is unset, so replacing it loses nothing.
  const mayOverwrite = (name: string): boolean =>
    options["overwrite"] === true || (isDeclared(contract, name) && oldValues.get(name) === "");
  return { names, contract, isDry, isConfirmed, isPlainText, target, initialState, oldValues, mayOverwrite, context };
}

/** Finds the variables whose values in ESC would not be replaced, whatever the new value is. */
function findKeptVariables({ names, initialState, mayOverwrite }: SetRun): readonly PlannedValue[] {
  const plan = names.map((name) => ({
    name,
    // The new value is not known yet.
    value: "",
    secret: false,
    state: planWithoutValue(name, initialState, mayOverwrite(name)),
  }));
  return plan.filter((planned) => !isChange(planned));
}

function printPlan(plan: readonly PlannedValue[], { initialState, context }: SetRun): void {
  printReport(context, describePlan(plan, formatRevision(initialState), "--plain"));
}

/** Reads the value of each variable, one after another. */
async function readValues({ names, contract, isPlainText, context }: SetRun): Promise<readonly ValueToWrite[]> {
  const values: ValueToWrite[] = [];
  for (const name of names) {
    const remedy = `pass it by the standard input: sophia-run set ${printable(name)} < FILE`;
    const value = await readValueToWrite(name, declarationOf(contract, name), { what: "value", remedy }, context);
    values.push(createValueToWrite(name, value, contract, isPlainText));
  }
  return values;
}

/** Asks the user whether to write the values. Returns true at once if there is no need to ask. */
async function confirmWriting({ names, isConfirmed, target, initialState, context }: SetRun): Promise<boolean> {
  // If the value came by the standard input, there is no question: the user has named the variable to write.
  if (isConfirmed || !canAskUser(context)) return true;
  const proposal = `Write ${names.length === 1 ? "it" : "them"} to ${formatName(initialState.name)}`;
  return askYesOrNo(createWriteQuestion(proposal, target), context);
}

/** Writes the values, and reports what was written. @returns the exit status @throws SophiaError (125) */
async function writeAndReport(values: readonly ValueToWrite[], run: SetRun): Promise<number> {
  const { names, target, mayOverwrite, context } = run;
  const change = await writeValues(values, mayOverwrite, target, (latestState) =>
    refuseChangedValues(values, latestState, run),
  );
  // A number is the exit status of a draft, which writeValues has reported.
  if (typeof change === "number") return change;
  const verification =
    change.after.hidden === undefined ? "and read back" : "but not read back (opening requires an approval)";
  printReport(
    context,
    `✅ ${enumerate(names.map(printable))} written ${verification}. ${describeRevisions(change)}\n   sophia-run check shows what the contract still lacks.\n`,
  );
  return ExitStatus.ok;
}

/**
 * Checks the newest revision before each attempt to write. Another user may have set a variable while this user typed, and that
 * value must not be lost.
 *
 * @throws SophiaError (esc-conflict, 125)
 */
function refuseChangedValues(
  values: readonly ValueToWrite[],
  latestState: EnvironmentState,
  { oldValues }: SetRun,
): void {
  for (const { name, value } of values) {
    const latestValue = findValue(latestState, name);
    if (latestValue !== oldValues.get(name) && latestValue !== value) throw createConflictError(name, latestState);
  }
}

/**
 * Returns a context without prompts if a coding agent is the caller: a prompt would wait for a person who does not see it.
 * An agent passes a value by the standard input.
 */
function withoutPromptsForAgent(context: Context): Context {
  if (findAgentVariable(context.environment) === undefined) return context;
  return { ...context, isTerminal: (fd: 0 | 1 | 2) => fd !== 2 && context.isTerminal(fd) };
}

/**
 * Warns of a name that the contract does not declare, if it declares a similar one.
 *
 * @param isAllowed true if the user can decline or has agreed already, or if nothing is written
 * @throws SophiaError (usage, 125) for such a name if it is not allowed
 */
function warnOfMisspelling(name: string, isAllowed: boolean, contract: Contract, context: Context): void {
  const suggestion = isDeclared(contract, name) ? "" : didYouMean(name, contract.variables.keys());
  if (suggestion === "") return;
  const warning = `the contract does not declare ${printable(name)}${suggestion}`;
  if (!isAllowed) throw usageError(warning, "--yes sets it anyway");
  printReport(context, `⚠️ ${warning}\n`);
}

/**
 * Checks the arguments of `set`. Several names are possible only if the contract declares all of them, and if a terminal
 * can ask for each value.
 *
 * @throws SophiaError (usage, 125) for other names, without printing a word that may be a value
 */
function requireNames(names: readonly string[], contract: Contract, context: Context): void {
  const [firstName = "", ...furtherNames] = names;
  requireName(firstName, contract);
  if (furtherNames.some((name) => !isDeclared(contract, name))) {
    // The user has typed NAME VALUE or VALUE NAME. In the latter case the first word must not be printed; a value rarely
    // has the form of a name.
    const isNameFirst = isDeclared(contract, firstName) || /^[A-Z]+(?:_[A-Z\d]+)*$/.test(firstName);
    throw usageError(...describeValueOnCommandLine(isNameFirst ? firstName : "NAME"));
  }
  if (new Set(names).size < names.length) throw usageError("set names a variable twice", "name each one once");
  for (const name of furtherNames) requireName(name, contract);
  if (furtherNames.length > 0 && !canAskUser(context)) {
    throw usageError(
      "the standard input has the value of one variable, but set names several",
      "call set for each, or write all in one revision: sophia-run import FILE",
    );
  }
}

/**
 * Checks that a name can be set.
 *
 * @throws SophiaError (usage, 125) without printing an invalid name, which may be a value
 */
function requireName(name: string, contract: Contract): void {
  const [assignedName = "", ...assignedValue] = name.split("=");
  const isAssignment = assignedValue.length > 0;
  if (isAssignment) {
    throw usageError(...describeValueOnCommandLine(VARIABLE_NAME.test(assignedName) ? assignedName : "NAME"));
  }
  if (!isDeclared(contract, name) && !VARIABLE_NAME.test(name)) {
    throw usageError("the argument of set is not a variable name", "use letters, digits and _");
  }
  const reservation = findReservation(name, contract);
  if (reservation === "setting") {
    throw usageError(`${name} is a setting of sophia-run, which ESC cannot provide`, "set it in the environment");
  }
  if (reservation === "undeclared") {
    throw usageError(
      `programs get ${name} from ESC only if the contract declares it`,
      "declare it there, or set it in the environment",
    );
  }
}
