import { settle } from "../../command-line/settings.ts";
import { isDeclared } from "../../contract/check.ts";
import { loadContract } from "../../contract/load.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { didYouMean } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { changeEnvironment, formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { setVariables } from "../../esc/definition/edit.ts";
import { formatName } from "../../esc/settings/names.ts";
import { tell } from "../../output/colour.ts";
import { say } from "../../output/say.ts";
import type { Command } from "../command.ts";
import { ask, canAsk } from "../confirm.ts";
import { type Candidate, looksSecret } from "../import/candidates.ts";
import { changesOf, obstacleTo, type Plan, planImport } from "../import/plan.ts";
import { planText } from "../import/text.ts";
import { usageError } from "../mistakes.ts";
import { agentBy } from "../run/agents.ts";
import { askOne, requireOne, settingsFor, writeAccess } from "../writing/access.ts";
import { changedMeanwhile, revisionsText, settleChange, valueIn } from "../writing/outcome.ts";
import { readValue } from "../writing/value.ts";
import { requireName } from "./name.ts";

/** `sophia-run set NAME`: 0; 1 if ESC keeps another value or the user says no; 3 if the change is a draft. */
export const setVariable: Command = async ({ options, positionals: [name = ""] }, given) => {
  const context = withoutPrompts(given);
  const settings = settle(options, context.environment);
  const isDry = options["dry-run"] === true;
  const { contractFile: file, profile, scope } = settings;
  const contract = await loadContract({ cwd: context.cwd, file, profile, scope });
  requireName(name, contract);
  const declaration = contract.variables.get(contract.aliases.get(name) ?? name);
  const access = await writeAccess(options["in"], settings, context, isDry);
  say(context, settings, access.notices);

  const current = await askOne(requireOne(access.settings), settings, context, isDry ? readToShow : readOrEvaluate);
  const target = settingsFor(current.name, access.settings);
  const shown = printable(name);
  const before = valueIn(current, name);
  // An empty value counts as none if the variable is declared.
  const overwrite = options["overwrite"] === true || (declaration !== undefined && before === "");
  const tellPlan = (plan: Plan): void => tell(context, planText(plan, { own: [], empty: [] }, formatRevision(current)));
  const why = obstacleTo(name, current, overwrite);
  // The user need not type what is then not written.
  if (why !== undefined && canAsk(context)) {
    tellPlan({ added: [], replaced: [], same: [], kept: [{ name, why }], plain: [] });
    return ExitStatus.unmet;
  }
  const remedy = `give it by the standard input: sophia-run set ${shown} < FILE`;
  const value = await readValue(name, declaration, { what: "value", remedy }, context);
  const candidate: Candidate = { name, value, secret: declaration?.secret ?? looksSecret(name, value) };
  const plan = planImport([candidate], current, overwrite);
  tellPlan(plan);
  if (plan.kept.length > 0) return ExitStatus.unmet;
  if (plan.same.length > 0) return ExitStatus.ok;
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
  const changed = await askOne(target, settings, context, (full, connection) =>
    changeEnvironment(
      full,
      connection,
      (now) => {
        const there = valueIn(now, name);
        if (there !== before && there !== value) throw changedMeanwhile(name, now);
        const changes = changesOf(planImport([candidate], now, overwrite));
        return changes.length === 0 ? undefined : setVariables(now.definition.yaml, changes);
      },
      [value],
      readOrEvaluate,
    ),
  );
  const done = settleChange(changed, context);
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
