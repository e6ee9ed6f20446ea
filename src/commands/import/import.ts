import { resolve } from "node:path";
import { settle } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/load.ts";
import { ExitStatus } from "../../core/error.ts";
import { count } from "../../core/text.ts";
import { changeEnvironment, formatRevision, readOrEvaluate, readToShow } from "../../esc/api/change.ts";
import { setVariables } from "../../esc/definition/edit.ts";
import { formatName } from "../../esc/settings/names.ts";
import { tell } from "../../output/colour.ts";
import { say } from "../../output/say.ts";
import { readDotenv } from "../../sources/dotenv/index.ts";
import type { Command } from "../command.ts";
import { canAsk, confirm } from "../confirm.ts";
import { projectRoot } from "../project-root.ts";
import { askOne, requireOne, settingsFor, writeAccess } from "../writing/access.ts";
import { revisionsText, settleChange } from "../writing/outcome.ts";
import { sortCandidates } from "./candidates.ts";
import { offerRemoval } from "./removal.ts";
import { changesOf, planImport } from "./plan.ts";
import { planText } from "./text.ts";

/** `sophia-run import FILE`: 0; 1 where something was left as ESC has it; 3 where the change is a draft. */
export const importFile: Command = async ({ options, positionals: [path = ""] }, context) => {
  const settings = settle(options, context.environment);
  const isConfirmed = options["yes"] === true;
  const overwrite = options["overwrite"] === true;
  const read = await readDotenv([{ path, required: true }], context.cwd);
  say(context, settings, read.notices);
  const { contractFile: file, profile, scope } = settings;
  const contract = await loadContract({ cwd: context.cwd, file, profile, scope });
  const sorted = sortCandidates(
    read.layers.flatMap(({ variables }) => variables),
    contract,
  );
  const isDry = options["dry-run"] === true;
  const access = await writeAccess(options["in"], settings, context, isDry);
  // Where it is read for the settings, too.
  const told = new Set(read.notices.map((notice) => JSON.stringify(notice)));
  say(
    context,
    settings,
    access.notices.filter((notice) => !told.has(JSON.stringify(notice))),
  );

  const current = await askOne(requireOne(access.settings), settings, context, isDry ? readToShow : readOrEvaluate);
  const plan = planImport(sorted.candidates, current, overwrite);
  tell(context, planText(plan, sorted, `${path} into ${formatRevision(current)}`));
  const status = plan.kept.length > 0 ? ExitStatus.unmet : ExitStatus.ok;
  const wanted = new Set(changesOf(plan).map(({ name }) => name));
  const candidates = sorted.candidates.filter(({ name }) => wanted.has(name));
  if (isDry) {
    tell(context, `Nothing was written: --dry-run. ${count(candidates.length, "variable")} would be.\n`);
    return status;
  }
  let there = plan.same;
  if (candidates.length === 0) tell(context, "✅ Nothing to change.\n");
  else {
    const target = settingsFor(current.name, access.settings);
    const question = `Write ${count(candidates.length, "variable")} to ${formatName(current.name)}?`;
    if (!(await confirm(question, isConfirmed, context))) {
      tell(context, "Nothing was written.\n");
      return ExitStatus.unmet;
    }
    const changed = await askOne(target, settings, context, (name, connection) =>
      changeEnvironment(
        name,
        connection,
        (now) => {
          const changes = changesOf(planImport(candidates, now, overwrite));
          return changes.length === 0 ? undefined : setVariables(now.definition.yaml, changes);
        },
        candidates.map(({ value }) => value),
        readOrEvaluate,
      ),
    );
    const done = settleChange(changed, context);
    if (typeof done === "number") return done;
    if (done.after.hidden !== undefined) {
      const written = `✅ ${count(candidates.length, "variable")} written. ${revisionsText(done)}\n`;
      tell(context, `${written}   Not read back: opening ${formatName(current.name)} has to be approved.\n`);
      return status;
    }
    // What somebody else has set meanwhile stays theirs.
    const last = planImport(candidates, done.after, false);
    there = [...plan.same, ...last.same];
    tell(context, `✅ ${count(last.same.length, "variable")} written and read back. ${revisionsText(done)}\n`);
    if (last.kept.length > 0) return ExitStatus.unmet;
  }
  if (!isConfirmed && canAsk(context))
    await offerRemoval(
      { path: resolve(context.cwd, path), name: path, root: projectRoot(context.cwd) },
      there,
      context,
    );
  return status;
};
