import { settle } from "../../command-line/settings.ts";
import { isDeclared } from "../../contract/check.ts";
import { loadContract } from "../../contract/load.ts";
import type { Contract } from "../../contract/model.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { didYouMean } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/names.ts";
import { tell } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { ask, canAsk } from "../confirm.ts";
import { usageError } from "../mistakes.ts";
import { agentBy } from "../run/agents.ts";
import { askOne, requireOne, settingsFor, writeAccess } from "../writing/access.ts";
import { type Candidate, isOwnName, looksSecret } from "../writing/candidates.ts";
import { changedMeanwhile, revisionsText, valueIn } from "../writing/outcome.ts";
import { isChange, type PlannedValue, planValues, stateOf } from "../writing/plan.ts";
import { planText } from "../writing/plan-text.ts";
import { readValue } from "../writing/value.ts";
import { writeValues } from "../writing/write.ts";

const NAME = /^[A-Za-z_]\w*$/;

/** `sophia-run set NAME`: 0; 1 if ESC keeps another value or the user says no; 3 if the change is a draft. */
export const setVariable: Command = async ({ options, positionals: [name = ""] }, given) => {
  const context = withoutPrompts(given);
  const settings = settle(options, context.environment);
  const isDry = options["dry-run"] === true;
  const { contractFile: file, profile, scope } = settings;
  const contract = await loadContract({ cwd: context.cwd, file, profile, scope });
  requireName(name, contract);
  const declaration = contract.variables.get(contract.aliases.get(name) ?? name);
  const access = await writeAccess(options["in"], settings, context, { isDry });

  const current = await askOne(requireOne(access), settings, context, isDry ? readToShow : readOrEvaluate);
  const target = settingsFor(current.name, access);
  const shown = printable(name);
  const before = valueIn(current, name);
  // An empty value counts as none if the variable is declared.
  const overwrite = options["overwrite"] === true || (declaration !== undefined && before === "");
  const tellPlan = (plan: PlannedValue): void =>
    tell(context, planText([plan], { own: [], empty: [] }, formatRevision(current)));
  const state = stateOf(name, current, overwrite);
  // The user need not type what is then not written.
  if (!isChange({ state }) && canAsk(context)) {
    tellPlan({ name, value: "", secret: false, state });
    return ExitStatus.unmet;
  }
  const remedy = `give it by the standard input: sophia-run set ${shown} < FILE`;
  const value = await readValue(name, declaration, { what: "value", remedy }, context);
  const candidate: Candidate = { name, value, secret: declaration?.secret ?? looksSecret(name, value) };
  const [plan = { ...candidate, state }] = planValues([candidate], current, overwrite);
  tellPlan(plan);
  if (plan.state === "same") return ExitStatus.ok;
  if (!isChange(plan)) return ExitStatus.unmet;
  const meant = isDeclared(contract, name) ? "" : didYouMean(name, contract.variables.keys());
  const isConfirmed = options["yes"] === true;
  const undeclared = `the contract does not declare ${shown}${meant}`;
  if (meant !== "" && !isConfirmed && !isDry && !canAsk(context)) throw usageError(undeclared, "--yes sets it anyway");
  if (meant !== "") tell(context, `⚠️ ${undeclared}\n`);
  if (isDry) {
    tell(context, "Nothing was written: --dry-run.\n");
    return ExitStatus.ok;
  }
  // A user who gives the value by the standard input cannot be asked, and has named the variable to write.
  const isAsked = !isConfirmed && canAsk(context);
  if (isAsked && !(await ask(`Write it to ${formatName(current.name)}?`, context))) {
    tell(context, "Nothing was written.\n");
    return ExitStatus.unmet;
  }
  const done = await writeValues([candidate], overwrite, { target, settings, context }, (now) => {
    const there = valueIn(now, name);
    if (there !== before && there !== value) throw changedMeanwhile(name, now);
  });
  if (typeof done === "number") return done;
  const readBack =
    done.after.hidden === undefined
      ? "written and read back."
      : "written, and not read back: opening has to be approved.";
  tell(
    context,
    `✅ ${shown} ${readBack} ${revisionsText(done)}\n   sophia-run check shows what the contract still lacks.\n`,
  );
  return ExitStatus.ok;
};

/** A coding agent gives values by the standard input alone: a prompt would wait for a person who does not see it. */
function withoutPrompts(context: Context): Context {
  if (agentBy(context.environment) === undefined) return context;
  return { ...context, isTerminal: (descriptor) => descriptor !== 2 && context.isTerminal(descriptor) };
}

/** @throws SophiaError (usage, 125) for anything else; it does not show it, since it may be a value */
function requireName(name: string, contract: Contract): void {
  const [before = "", ...after] = name.split("=");
  if (after.length > 0) {
    throw usageError(
      "a value on the command line is not taken: shells and ps(1) keep it",
      `sophia-run set ${NAME.test(before) ? before : "NAME"} asks for it, or reads it from the standard input`,
    );
  }
  if (!isDeclared(contract, name) && !NAME.test(name)) {
    throw usageError("what follows set is not the name of a variable", "letters, digits and _ make a name");
  }
  if (isOwnName(name)) {
    throw usageError(`${name} is a setting of sophia-run, which ESC does not give`, "set it in the environment");
  }
}
