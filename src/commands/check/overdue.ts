/** `check --overdue`: whether a secret ought to have been replaced. */
import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { count, printable } from "../../core/text.ts";
import { makeProgress } from "../../output/progress.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { historyAccess } from "../audit/access.ts";
import { ageForPrograms, ageLine } from "../audit/age-words.ts";
import { type SecretAge, secretAges, unseenOf } from "../audit/ages.ts";
import type { Part } from "./part.ts";

const TITLE = "--- Age of Secrets ---";

export async function checkOverdue(settings: Settings, contract: Contract, context: Context): Promise<Part> {
  const now = new Date();
  const { layers } = await readEnvFiles(settings, context.cwd, context.environment);
  const { reader } = historyAccess(settings, layers, context);
  if (reader.kind !== "on") {
    const unseen = "ESC: no environment and token are configured";
    return { section: [TITLE, `➖ ${unseen}`], failures: [], fields: { ages: [], agesUnseen: [unseen] } };
  }
  const progress = await makeProgress(context, settings);
  let ages: readonly SecretAge[];
  try {
    ages = await secretAges(contract, reader.settings, progress, now).finally(progress.done);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    const failure = `The age of secrets could not be read: ${error.message}`;
    return { section: [TITLE, `❌ ${failure}`], failures: [failure], fields: { ages: [], agesUnseen: [failure] } };
  }
  const overdue = ages.filter((age) => age.overdue === true);
  const unseen = unseenOf(ages);
  const inEsc = ages.filter(({ change }) => change !== undefined && change.kind !== "unseen");
  return {
    section: [TITLE, ...inEsc.map((age) => ageLine(age, now)), ...unseen.map((what) => `➖ ${what}`)],
    failures:
      overdue.length === 0
        ? []
        : [
            `${count(overdue.length, "secret")} ${overdue.length === 1 ? "is" : "are"} overdue`,
            ...overdue.map(({ name }) => `  sophia-run rotate ${shellWord(printable(name))}`),
          ],
    fields: { ages: ages.map(ageForPrograms), agesUnseen: unseen },
  };
}
