import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { count } from "../../core/text.ts";
import { makeProgress } from "../../output/progress.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { historyAccess, unreadWords } from "../audit/audit-token.ts";
import { ageForPrograms, ageLine, type SecretAge, secretAges, unseenOf } from "../audit/ages.ts";
import type { ExtraCheck } from "./check-text.ts";

export async function checkOverdue(settings: Settings, contract: Contract, context: Context): Promise<ExtraCheck> {
  const now = new Date();
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const { reader } = await historyAccess(settings, contract, dotenv, context);
  const result = (lines: readonly string[], failures: readonly string[], fields: ExtraCheck["fields"]): ExtraCheck => ({
    section: ["--- Age of Secrets ---", ...lines],
    failures,
    fields,
  });
  if (reader.kind !== "on") {
    const unseen = unreadWords(reader);
    return result([`➖ ${unseen}`], [], { ages: [], agesUnseen: [unseen] });
  }
  const progress = await makeProgress(context, settings);
  let ages: readonly SecretAge[];
  try {
    ({ ages } = await secretAges(contract, reader.settings, progress, now).finally(progress.done));
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    const failure = `The age of secrets could not be read: ${error.message}`;
    return result([`❌ ${failure}`], [failure], { ages: [], agesUnseen: [failure] });
  }
  const overdue = ages.filter((age) => age.overdue === true);
  const unseen = unseenOf(ages);
  const inEsc = ages.filter(({ change }) => change !== undefined && change.kind !== "unseen");
  const failures = [
    `${count(overdue.length, "secret")} ${overdue.length === 1 ? "is" : "are"} overdue`,
    ...overdue.map(({ name }) => `  sophia-run rotate ${shellWord(name)}`),
  ];
  return result(
    [...inEsc.map((age) => ageLine(age, now)), ...unseen.map((what) => `➖ ${what}`)],
    overdue.length === 0 ? [] : failures,
    { ages: ages.map(ageForPrograms), agesUnseen: unseen },
  );
}
