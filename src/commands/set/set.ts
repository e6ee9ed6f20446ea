/**
 * The command `sophia-run set NAME…`. It writes the values of variables to an ESC environment, from prompts or the standard
 * input.
 */
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
import { agentBy } from "../run/agents.ts";
import { askOnlyEnvironment, requireOnlyEnvironment, restrictTarget } from "../parts/writing/esc-target.ts";
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
const NAME = /^[A-Za-z_]\w*$/;

/** Returns 0 if ESC has the values, 1 if it keeps others or the user declines, 3 for a draft. @throws SophiaError (125) */
export const setVariables: Command = async ({ options, positionals: names }, callerContext) => {
  const context = withoutPromptsForAgent(callerContext);
  const settings = resolveSettings(options, context.environment);
  const isDry = options["dry-run"] === true;
  const isConfirmed = options["yes"] === true;
  const isPlainText = options["plain"] === true;
  const contract = await loadContract(settings, context);
  requireNames(names, contract, context);
  if (isPlainText) for (const name of names) refuseSecretAsPlainText(name, contract, "--plain");
  const access = await findWriteTarget(options["in"], settings, context, { isDry, isConfirmed });

  const environmentState = await askOnlyEnvironment(
    requireOnlyEnvironment(access),
    isDry ? readToShow : readOrEvaluate,
  );
  const target = restrictTarget(environmentState.name, access);
  const oldValues = new Map(names.map((name) => [name, findValue(environmentState, name)]));
  // A declared variable with an empty value is unset, so replacing it loses nothing.
  const mayOverwrite = (name: string): boolean =>
    options["overwrite"] === true || (isDeclared(contract, name) && oldValues.get(name) === "");
  const showPlan = (plan: readonly PlannedValue[]): void =>
    printReport(context, describePlan(plan, formatRevision(environmentState), "--plain"));
  const keptVariables = names
    .map((name) => ({
      name,
      value: "",
      secret: false,
      state: planWithoutValue(name, environmentState, mayOverwrite(name)),
    }))
    .filter((planned) => !isChange(planned));
  // The user must not type values that would not be written.
  if (keptVariables.length > 0 && canAskUser(context)) {
    showPlan(keptVariables);
    return ExitStatus.unmet;
  }

  const values = await readValues(names, contract, isPlainText, context);
  const plan = values.map(createPlanner(environmentState, mayOverwrite));
  showPlan(plan);
  if (plan.every(({ state }) => state === "same")) return ExitStatus.ok;
  if (plan.some((planned) => planned.state !== "same" && !isChange(planned))) return ExitStatus.unmet;
  const isMisspellingAllowed = isConfirmed || isDry || canAskUser(context);
  for (const name of names) warnOfMisspelling(name, isMisspellingAllowed, contract, context);
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  // If the value came by the standard input, there is no question: the user has named the variable to write.
  const mustAsk = !isConfirmed && canAskUser(context);
  const question = `Write ${names.length === 1 ? "it" : "them"} to ${formatName(environmentState.name)}`;
  if (mustAsk && !(await askYesOrNo(createWriteQuestion(question, access), context))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }

  // Another user may have set a variable while this user typed. That value must not be lost.
  const refuseChangedValues = (latest: EnvironmentState): void => {
    for (const { name, value } of values) {
      const latestValue = findValue(latest, name);
      if (latestValue !== oldValues.get(name) && latestValue !== value) throw createConflictError(name, latest);
    }
  };
  const change = await writeValues(values, mayOverwrite, target, refuseChangedValues);
  // A number is the exit status of a draft, which writeValues has reported.
  if (typeof change === "number") return change;
  const verification =
    change.after.hidden === undefined ? "and read back" : "but not read back (opening requires an approval)";
  printReport(
    context,
    `✅ ${enumerate(names.map(printable))} written ${verification}. ${describeRevisions(change)}\n   sophia-run check shows what the contract still lacks.\n`,
  );
  return ExitStatus.ok;
};

/** Reads the value of each variable, one after another. */
async function readValues(
  names: readonly string[],
  contract: Contract,
  isPlainText: boolean,
  context: Context,
): Promise<readonly ValueToWrite[]> {
  const values: ValueToWrite[] = [];
  for (const name of names) {
    const remedy = `pass it by the standard input: sophia-run set ${printable(name)} < FILE`;
    const value = await readValueToWrite(name, declarationOf(contract, name), { what: "value", remedy }, context);
    values.push(createValueToWrite(name, value, contract, isPlainText));
  }
  return values;
}

/**
 * Returns a context without prompts if a coding agent is the caller: a prompt would wait for a person who does not see it.
 * An agent passes a value by the standard input.
 */
function withoutPromptsForAgent(context: Context): Context {
  if (agentBy(context.environment) === undefined) return context;
  return { ...context, isTerminal: (fd: 0 | 1 | 2) => fd !== 2 && context.isTerminal(fd) };
}

/**
 * Warns of a name that the contract does not declare, if it declares a similar one.
 *
 * @param isAllowed the user can decline, has agreed already, or nothing is written
 * @throws SophiaError (usage, 125) if it is not allowed
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
  const [first = "", ...others] = names;
  requireName(first, contract);
  if (others.some((name) => !isDeclared(contract, name))) {
    // The user has typed NAME VALUE or VALUE NAME. In the latter case the first word must not be printed; a value rarely
    // has the form of a name.
    const isFirstName = isDeclared(contract, first) || /^[A-Z]+(?:_[A-Z\d]+)*$/.test(first);
    throw usageError(...describeValueOnCommandLine(isFirstName ? first : "NAME"));
  }
  if (new Set(names).size < names.length) throw usageError("set names a variable twice", "name each one once");
  for (const name of others) requireName(name, contract);
  if (others.length > 0 && !canAskUser(context)) {
    throw usageError(
      "the standard input has the value of one variable, but set names several",
      "call set for each, or write all in one revision: sophia-run import FILE",
    );
  }
}

/**
 * Checks that a name can be set. @throws SophiaError (usage, 125) without printing an invalid name, which may be a value
 */
function requireName(name: string, contract: Contract): void {
  // The user has typed NAME=VALUE.
  const [assignedName = "", ...assignedValue] = name.split("=");
  if (assignedValue.length > 0) {
    throw usageError(...describeValueOnCommandLine(NAME.test(assignedName) ? assignedName : "NAME"));
  }
  if (!isDeclared(contract, name) && !NAME.test(name)) {
    throw usageError("the argument of set is not a variable name", "use letters, digits and _");
  }
  const reserved = findReservation(name, contract);
  if (reserved === "setting") {
    throw usageError(`${name} is a setting of sophia-run, which ESC cannot provide`, "set it in the environment");
  }
  if (reserved === "undeclared") {
    throw usageError(
      `programs get ${name} from ESC only if the contract declares it`,
      "declare it there, or set it in the environment",
    );
  }
}
