/** `check --overdue`: fails if the history of ESC shows a secret that is older than the contract allows (`rotateEvery`). */
import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { count } from "../../core/text.ts";
import { createProgress } from "../../output/progress.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { describeUnreadEsc, findAuditAccess } from "../audit/audit-token.ts";
import { createAgeJson, describeSecretAge, describeUnseenAges } from "../audit/age-text.ts";
import { readSecretAges, type SecretAge } from "../audit/ages.ts";
import type { ExtraCheck } from "./extra-check.ts";

/**
 * Returns the check of all declared secrets. A secret whose age the token may not see does not make it fail, but a history
 * that cannot be read does.
 */
export async function checkOverdue(settings: Settings, contract: Contract, context: Context): Promise<ExtraCheck> {
  const now = new Date();
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  const { readingAccess } = await findAuditAccess(settings, contract, dotenv, context);
  if (readingAccess.kind !== "on") {
    const reason = describeUnreadEsc(readingAccess);
    return createAgesCheck({ lines: [`➖ ${reason}`], failures: [], ages: [], unseen: [reason] });
  }
  const progress = await createProgress(context, settings);
  let ages: readonly SecretAge[];
  try {
    ({ ages } = await readSecretAges(contract, readingAccess.settings, progress, { now }).finally(progress.done));
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    const failure = `The age of secrets could not be read: ${error.message}`;
    return createAgesCheck({ lines: [`❌ ${failure}`], failures: [failure], ages: [], unseen: [failure] });
  }
  const unseen = describeUnseenAges(ages);
  const agesInEsc = ages.filter(({ change }) => change !== undefined && change.kind !== "unseen");
  const lines = [
    ...agesInEsc.map((age) => describeSecretAge(age, now)),
    ...unseen.map((description) => `➖ ${description}`),
  ];
  return createAgesCheck({ lines, failures: describeOverdue(ages), ages, unseen });
}

/** The result of the check. */
interface AgesResult {
  /** The lines of the report's section. */
  readonly lines: readonly string[];
  readonly failures: readonly string[];
  readonly ages: readonly SecretAge[];
  /** The reasons for which ages are not known. */
  readonly unseen: readonly string[];
}

function createAgesCheck({ lines, failures, ages, unseen }: AgesResult): ExtraCheck {
  return {
    section: ["--- Age of Secrets ---", ...lines],
    failures,
    fields: { ages: ages.map(createAgeJson), agesUnseen: unseen },
  };
}

/** Returns the failure, and a command for each secret that must be rotated. */
function describeOverdue(ages: readonly SecretAge[]): readonly string[] {
  const overdue = ages.filter((age) => age.overdue === true);
  if (overdue.length === 0) return [];
  return [
    `${count(overdue.length, "secret")} ${overdue.length === 1 ? "is" : "are"} overdue`,
    ...overdue.map(({ name }) => `  sophia-run rotate ${shellWord(name)}`),
  ];
}
