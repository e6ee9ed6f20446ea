import { resolve } from "node:path";
import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Variable } from "../../core/model.ts";
import { didYouMean } from "../../core/suggest.ts";
import { count, printable } from "../../core/text.ts";
import { formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { referenceNotices } from "../../resolve/reference-notices.ts";
import { readDotenv } from "../../sources/dotenv/index.ts";
import type { Command } from "../command.ts";
import { canAsk, confirm } from "../parts/confirm.ts";
import { usageError } from "../parts/usage-errors.ts";
import { projectRoot } from "../parts/project-root.ts";
import { askOne, requireOne, targetFor, writeAccess, writeQuestion } from "../parts/writing/write-access.ts";
import { revisionsText, writeValues } from "../parts/writing/write-change.ts";
import {
  type Candidate,
  isChange,
  planner,
  planText,
  requirePublic,
  sortVariables,
} from "../parts/writing/write-plan.ts";
import { offerRemoval } from "./removal.ts";

export const importFile: Command = async ({ options, positionals: [path = ""] }, context) => {
  const settings = resolveSettings(options, context.environment);
  const isConfirmed = options["yes"] === true;
  const overwrite = options["overwrite"] === true;
  const read = await readDotenv([{ path, required: true }], context);
  const variables = read.layers.flatMap((layer) => layer.variables);
  printNotices(context, settings, [...read.notices, ...referenceNotices(variables)]);
  const contract = await loadContract(settings, context);
  const plain = plainNames(options["plain"], variables, contract, path);
  const sorted = sortVariables(variables, contract, plain);
  const isDry = options["dry-run"] === true;
  // The same file may also be read for the settings.
  const access = await writeAccess(options["in"], settings, context, { isDry, isConfirmed, reported: read.notices });

  const current = await askOne(requireOne(access), isDry ? readToShow : readOrEvaluate);
  const plan = sorted.candidates.map(planner(current, overwrite));
  printReport(context, planText(plan, `${path} into ${formatRevision(current)}`, PLAIN, sorted));
  const changes = plan.filter(isChange);
  const same: readonly Candidate[] = plan.filter(({ state }) => state === "same");
  const status = changes.length + same.length < plan.length ? ExitStatus.unmet : ExitStatus.ok;
  if (isDry) {
    printReport(context, `Nothing was written: --dry-run. ${count(changes.length, "variable")} would be.\n`);
    return status;
  }
  let inEsc = same;
  if (changes.length === 0) printReport(context, "✅ Nothing to change.\n");
  else {
    const target = targetFor(current.name, access);
    const change = `Write ${count(changes.length, "variable")} to ${formatName(current.name)}`;
    if (!(await confirm(writeQuestion(change, access), isConfirmed, context))) {
      printReport(context, "Nothing was written.\n");
      return ExitStatus.unmet;
    }
    const done = await writeValues(changes, overwrite, target);
    if (typeof done === "number") return done;
    if (done.after.hidden !== undefined) {
      const written = `✅ ${count(changes.length, "variable")} written. ${revisionsText(done)}\n`;
      printReport(context, `${written}   Not read back: opening ${formatName(current.name)} requires an approval.\n`);
      return status;
    }
    // Values that another user has set meanwhile stay.
    const last = changes.map(planner(done.after, false));
    const written = last.filter(({ state }) => state === "same");
    inEsc = [...same, ...written];
    printReport(context, `✅ ${count(written.length, "variable")} written and read back. ${revisionsText(done)}\n`);
    const kept = last.filter((one) => one.state !== "same" && !isChange(one));
    if (kept.length > 0) {
      printReport(context, planText(kept, formatRevision(done.after), PLAIN));
      return ExitStatus.unmet;
    }
  }
  if (!isConfirmed && canAsk(context)) {
    const file = { path: resolve(context.cwd, path), name: path, root: projectRoot(context.cwd) };
    await offerRemoval(file, inEsc, context);
  }
  return status;
};

const PLAIN = "--plain NAME";

/** @throws SophiaError (usage, 125) for a name that the file does not set, or that the contract declares secret */
function plainNames(
  given: unknown,
  variables: readonly Variable[],
  contract: Contract,
  path: string,
): ReadonlySet<string> {
  const names: readonly string[] = Array.isArray(given) ? given : [];
  const known = variables.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) {
      throw usageError(`--plain: ${printable(path)} does not set ${printable(name)}${didYouMean(name, known)}`);
    }
    requirePublic(name, contract, "--plain");
  }
  return new Set(names);
}
