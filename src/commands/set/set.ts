import { resolveSettings } from "../../command-line/settings.ts";
import { declarationOf, isDeclared } from "../../contract/check-contract.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus } from "../../core/error.ts";
import { didYouMean } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { ask, canAsk } from "../parts/confirm.ts";
import { usageError } from "../parts/mistakes.ts";
import { agentBy } from "../run/agents.ts";
import { askOne, requireOne, targetFor, writeAccess, writeQuestion } from "../parts/writing/write-access.ts";
import { changedMeanwhile, revisionsText, valueIn, writeValues } from "../parts/writing/write-change.ts";
import {
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

export const setVariable: Command = async ({ options, positionals: [name = ""] }, given) => {
  // A coding agent passes values by the standard input alone: a prompt would wait for a person who does not see it.
  const isAgent = agentBy(given.environment) !== undefined;
  const context = isAgent ? { ...given, isTerminal: (fd: 0 | 1 | 2) => fd !== 2 && given.isTerminal(fd) } : given;
  const settings = resolveSettings(options, context.environment);
  const isDry = options["dry-run"] === true;
  const contract = await loadContract(settings, context);
  requireName(name, contract);
  const declaration = declarationOf(contract, name);
  const isConfirmed = options["yes"] === true;
  const isPlain = options["plain"] === true;
  if (isPlain) requirePublic(name, contract, "--plain");
  const access = await writeAccess(options["in"], settings, context, { isDry, isConfirmed });

  const current = await askOne(requireOne(access), isDry ? readToShow : readOrEvaluate);
  const target = targetFor(current.name, access);
  const shown = printable(name);
  const before = valueIn(current, name);
  // A declared variable with an empty value is unset.
  const overwrite = options["overwrite"] === true || (declaration !== undefined && before === "");
  const showPlan = (plan: PlannedValue): void =>
    printReport(context, planText([plan], formatRevision(current), "--plain"));
  const state = stateOf(name, current, overwrite);
  // Does not ask for a value that would not be written.
  if (!isChange({ state }) && canAsk(context)) {
    showPlan({ name, value: "", secret: false, state });
    return ExitStatus.unmet;
  }
  const remedy = `pass it by the standard input: sophia-run set ${shown} < FILE`;
  const value = await readValue(name, declaration, { what: "value", remedy }, context);
  const candidate = candidateFor(name, value, contract, isPlain);
  const plan = planner(current, overwrite)(candidate);
  showPlan(plan);
  if (plan.state === "same") return ExitStatus.ok;
  if (!isChange(plan)) return ExitStatus.unmet;
  const suggestion = isDeclared(contract, name) ? "" : didYouMean(name, contract.variables.keys());
  if (suggestion !== "") {
    const undeclared = `the contract does not declare ${shown}${suggestion}`;
    if (!isConfirmed && !isDry && !canAsk(context)) throw usageError(undeclared, "--yes sets it anyway");
    printReport(context, `⚠️ ${undeclared}\n`);
  }
  if (isDry) {
    printReport(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  // No question if the value came by the standard input: the user has named the variable to write.
  const isAsked = !isConfirmed && canAsk(context);
  if (isAsked && !(await ask(writeQuestion(`Write it to ${formatName(current.name)}`, access), context))) {
    printReport(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  const done = await writeValues([candidate], overwrite, target, (now) => {
    const latest = valueIn(now, name);
    if (latest !== before && latest !== value) throw changedMeanwhile(name, now);
  });
  if (typeof done === "number") return done;
  const written =
    done.after.hidden === undefined ? "and read back" : "but not read back (opening requires an approval)";
  printReport(
    context,
    `✅ ${shown} written ${written}. ${revisionsText(done)}\n   sophia-run check shows what the contract still lacks.\n`,
  );
  return ExitStatus.ok;
};

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
