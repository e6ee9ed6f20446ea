/** Reads the source `esc` of a new contract: the variables of the project's environments in Pulumi ESC. `init` uses it. */
import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check-contract.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { grouped } from "../../core/grouped.ts";
import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { evaluate, type EvaluatedVariable } from "../../esc/api/evaluate.ts";
import { formatVersion } from "../../esc/settings/environment-names.ts";
import { makeProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { createNotAllowedError } from "../../access/consent-words.ts";
import { findEscAccess } from "../parts/command-access.ts";
import { formatTest, type Candidate, isPublicValue, type SourceResult } from "./variable-candidates.ts";

/** The value of a variable in one environment; lists and objects are no variables. */
type EscValue = Exclude<EvaluatedVariable, { readonly kind: "list-or-object" }>;

/**
 * Reads the variables of the environments in `ESC_ENV`, without opening secrets. Variables that are empty or have a
 * placeholder are treated so that today's values meet the new contract.
 *
 * @returns undefined if ESC is not configured
 * @throws SophiaError (125) if ESC is configured and cannot be read
 */
export async function readEscVariables(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const { access, notices } = await findEscAccess(settings, context, {}, { contract: "none" });
  const refusal = notices.find(({ kind }) => kind === "environment-not-allowed");
  if (refusal?.kind === "environment-not-allowed") throw createNotAllowedError(refusal);
  if (access.kind !== "on") return undefined;
  const progress = await makeProgress(context, settings);
  const answers = await askEsc(access.settings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  printNotices(context, settings, answers.remarks);
  const namedValues = answers.results.flatMap(({ variables }) =>
    Array.from(variables).flatMap(([name, value]) => (value.kind === "list-or-object" ? [] : [{ name, value }])),
  );
  const candidatesWithValue: Candidate[] = [];
  // A required variable with an empty value would be missing, so these are optional.
  const emptyCandidates: Candidate[] = [];
  // A declared variable with a placeholder would keep each program from starting, so these are left out.
  const placeholders: string[] = [];
  for (const [name, valuesOfName] of grouped(namedValues, (namedValue) => namedValue.name)) {
    const values = valuesOfName.map(({ value }) => value);
    if (mayBePlaceholder(values)) placeholders.push(name);
    else if (values.every(isEmpty)) emptyCandidates.push({ ...toCandidate(name, values), isOptional: true });
    else candidatesWithValue.push(toCandidate(name, values));
  }
  const emptyNames = emptyCandidates.map(({ name }) => name);
  return {
    candidates: [...candidatesWithValue, ...emptyCandidates],
    source: "ESC",
    environments: answers.results.map(({ name }) => formatVersion(name)),
    remarks: [
      ...(emptyNames.length === 0 ? [] : [`optional, because ESC has no value: ${enumerateNames(emptyNames)}`]),
      ...(placeholders.length === 0
        ? []
        : [`left out, because ESC has a placeholder: ${enumerateNames(placeholders)}`]),
    ],
  };
}

/**
 * Makes a candidate from a variable's values in the environments. The values of secrets are unknown, since they are not
 * opened.
 */
function toCandidate(name: string, values: readonly EscValue[]): Candidate {
  const knownTexts = values.flatMap((value) => (value.kind === "known" ? [value.variable.value] : []));
  const areAllKnown = knownTexts.length === values.length;
  const isPublic = areAllKnown && knownTexts.every((text) => isPublicValue(name, text));
  const admitsFormat = areAllKnown ? formatTest(name, knownTexts) : undefined;
  return { name, required: false, hasValue: true, admitsFormat, secret: !isPublic };
}

function enumerateNames(names: readonly string[]): string {
  return enumerateFew(names.map(printable));
}

function isEmpty(value: EscValue): boolean {
  return value.kind === "known" && isBlank(value.variable.value);
}

/**
 * Returns true if the program may get a placeholder. The last environment with a value wins. An unknown value after it does
 * not change that, since it may be empty once it is opened.
 */
function mayBePlaceholder(values: readonly EscValue[]): boolean {
  const lastValue = values.findLast((value) => value.kind === "known" && !isEmpty(value));
  if (lastValue?.kind !== "known") return false;
  return lastValue.variable.delivery === "value" && isPlaceholder({ secret: false }, lastValue.variable.value);
}
