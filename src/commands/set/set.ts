import { resolveSettings } from "../../command-line/settings.ts";
import { declarationOf, isDeclared } from "../../contract/check-contract.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus } from "../../core/error.ts";
import { didYouMean } from "../../core/suggest.ts";
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import { formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { ask, canAsk } from "../parts/confirm.ts";
import { usageError } from "../parts/usage-errors.ts";
import { agentBy } from "../run/agents.ts";
import { askOne, requireOne, targetFor, writeAccess, writeQuestion } from "../parts/writing/write-access.ts";
import { changedMeanwhile, revisionsText, valueIn, writeValues } from "../parts/writing/write-change.ts";
import {
  type Candidate,
  candidateFor,
  isChange,
  type PlannedValue,
  planner,
  planText,
  requirePublic,
  reservedAs,
  stateOf,
} from "../parts/writing/write-plan.ts";
import { readValue } from "../parts/writing/given-value.ts";
import { valueOnLine } from "../parts/writing/write-options.ts";

const NAME = /^[A-Za-z_]\w*$/;

export const setVariables: Command = async ({ options, positionals: names }, given) => {
  // A coding agent passes values by the standard input alone: a prompt would wait for a person who does not see it.
  const isAgent = agentBy(given.environment) !== undefined;
  const context = isAgent ? { ...given, isTerminal: (fd: 0 | 1 | 2) => fd !== 2 && given.isTerminal(fd) } : given;
  const settings = resolveSettings(options, context.environment);
  const isDry = options["dry-run"] === true;
  const contract = await loadContract(settings, context);
  requireNames(names, contract, context);
  const isConfirmed = options["yes"] === true;
  const isPlain = options["plain"] === true;
  if (isPlain) for (const name of names) requirePublic(name, contract, "--plain");
  const access = await writeAccess(options["in"], settings, context, { isDry, isConfirmed });

  const current = await askOne(requireOne(access), isDry ? readToShow : readOrEvaluate);
  const target = targetFor(current.name, access);
  const before = new Map(names.map((name) => [name, valueIn(current, name)]));
  // A declared variable with an empty value is unset.
  const overwrites = (name: string): boolean =>
    options["overwrite"] === true || (isDeclared(contract, name) && before.get(name) === "");
  const showPlan = (plan: readonly PlannedValue[]): void =>
    printReport(context, planText(plan, formatRevision(current), "--plain"));
  const kept = names
    .map((name) => ({ name, value: "", secret: false, state: stateOf(name, current, overwrites(name)) }))
    .filter((plan) => !isChange(plan));
  // Does not ask for values that would not be written.
  if (kept.length > 0 && canAsk(context)) {
    showPlan(kept);
    return ExitStatus.unmet;
  }
  const candidates: Candidate[] = [];
  for (const name of names) {
    const remedy = `pass it by the standard input: sophia-run set ${printable(name)} < FILE`;
    const value = await readValue(name, declarationOf(contract, name), { what: "value", remedy }, context);
    candidates.push(candidateFor(name, value, contract, isPlain));
  }
  const plan = candidates.map(planner(current, overwrites));
  showPlan(plan);
  if (plan.every(({ state }) => state === "same")) return ExitStatus.ok;
  if (plan.some((value) => value.state !== "same" && !isChange(value))) return ExitStatus.unmet;
  for (const name of names) {
    const suggestion = isDeclared(contract, name) ? "" : didYouMean(name, contract.variables.keys());
    if (suggestion === "") continue;
    const undeclared = `the contract does not declare ${printable(name)}${suggestion}`;
    if (!isConfirmed && !isDry && !canAsk(context)) throw usageError(undeclared, "--yes sets it anyway");
    printReport(context, `⚠️ ${undeclared}\n`);
  }
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  // No question if the value came by the standard input: the user has named the variable to write.
  const isAsked = !isConfirmed && canAsk(context);
  const question = `Write ${names.length === 1 ? "it" : "them"} to ${formatName(current.name)}`;
  if (isAsked && !(await ask(writeQuestion(question, access), context))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  const done = await writeValues(candidates, overwrites, target, (now) => {
    for (const { name, value } of candidates) {
      const latest = valueIn(now, name);
      if (latest !== before.get(name) && latest !== value) throw changedMeanwhile(name, now);
    }
  });
  if (typeof done === "number") return done;
  const written =
    done.after.hidden === undefined ? "and read back" : "but not read back (opening requires an approval)";
  const shown = enumerate(names.map(printable));
  printReport(
    context,
    `✅ ${shown} written ${written}. ${revisionsText(done)}\n   sophia-run check shows what the contract still lacks.\n`,
  );
  return ExitStatus.ok;
};

/**
 * Several names need a contract that declares them, and a terminal that asks for each value.
 * @throws SophiaError (usage, 125) for other names; it does not print a word that may be a value
 */
function requireNames(names: readonly string[], contract: Contract, context: Context): void {
  const [first = "", ...others] = names;
  requireName(first, contract);
  if (others.some((name) => !isDeclared(contract, name))) {
    // In the order VALUE NAME the first word is the value, which is rarely in the form of a name.
    throw usageError(
      ...valueOnLine(isDeclared(contract, first) || /^[A-Z]+(?:_[A-Z\d]+)*$/.test(first) ? first : "NAME"),
    );
  }
  if (new Set(names).size < names.length) throw usageError("set names a variable twice", "name each one once");
  for (const name of others) requireName(name, contract);
  if (others.length > 0 && !canAsk(context)) {
    throw usageError(
      "the standard input has the value of one variable, but set names several",
      "call set for each, or write all in one revision: sophia-run import FILE",
    );
  }
}

/** @throws SophiaError (usage, 125) for an invalid name, without printing it: it may be a value */
function requireName(name: string, contract: Contract): void {
  const [before = "", ...after] = name.split("=");
  if (after.length > 0) {
    throw usageError(...valueOnLine(NAME.test(before) ? before : "NAME"));
  }
  if (!isDeclared(contract, name) && !NAME.test(name)) {
    throw usageError("the argument of set is not a variable name", "use letters, digits and _");
  }
  const reserved = reservedAs(name, contract);
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
