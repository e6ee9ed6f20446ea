/**
 * Reads the source `esc` of a new contract: the variables of the Pulumi ESC environments in `ESC_ENV`. `sophia-run init`
 * uses it with `--from esc`, and without `--from`. It evaluates the environments without opening them, so that secrets
 * stay unknown:
 *
 *     LOG_LEVEL: debug                 public, and declared
 *     API_KEY: { fn::secret: … }       a secret, and declared
 *     OLD_KEY: ""                      declared as optional
 *     OTHER_KEY: <your key>            left out
 */
import type { Settings } from "../../command-line/settings.ts";
import { isBlank } from "../../contract/check-contract.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { groupBy } from "../../core/group-by.ts";
import { enumerateFew } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { evaluate, type EvaluatedEnvironment, type EvaluatedVariable } from "../../esc/api/evaluate.ts";
import { formatVersion } from "../../esc/settings/environment-names.ts";
import { createProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { notAllowedError } from "../../access/consent-words.ts";
import { findEscAccess } from "../parts/command-access.ts";
import { createFormatTest, type Candidate, isPublicValue, type SourceResult } from "./variable-candidates.ts";

/** The value of a variable in one environment. Lists and objects are not variables. */
type EscValue = Exclude<EvaluatedVariable, { readonly kind: "list-or-object" }>;

/**
 * Reads the variables of the environments in `ESC_ENV`.
 *
 * @returns undefined if ESC is not configured
 * @throws SophiaError (125) if ESC is configured and cannot be read
 */
export async function readEscVariables(settings: Settings, context: Context): Promise<SourceResult | undefined> {
  const environments = await evaluateEnvironments(settings, context);
  if (environments === undefined) return undefined;
  const { candidatesWithValue, emptyCandidates, placeholderNames } = sortVariables(groupValues(environments));
  const emptyNames = emptyCandidates.map(({ name }) => name);
  return {
    candidates: [...candidatesWithValue, ...emptyCandidates],
    source: "ESC",
    environments: environments.map(({ name }) => formatVersion(name)),
    remarks: [
      ...describeNames("optional, because ESC has no value", emptyNames),
      ...describeNames("left out, because ESC has a placeholder", placeholderNames),
    ],
  };
}

/** Evaluates the environments, and prints the remarks of the service. @returns undefined if ESC is not configured */
async function evaluateEnvironments(
  settings: Settings,
  context: Context,
): Promise<readonly EvaluatedEnvironment[] | undefined> {
  // No contract is read here, so that only `ESC_ENV` can name the environments.
  const { access, notices } = await findEscAccess(settings, context, {}, { contract: "none" });
  // The other notices about the access are not printed. This one is an error here, because without the user's consent
  // ESC is not read.
  const refusal = notices.find(({ kind }) => kind === "environment-not-allowed");
  if (refusal?.kind === "environment-not-allowed") throw notAllowedError(refusal);
  if (access.kind !== "on") return undefined;
  const progress = await createProgress(context, settings);
  const answers = await askEsc(access.settings, progress, evaluate).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  printNotices(context, settings, answers.remarks);
  return answers.results;
}

/** The values of a variable, in the order of the environments that set it. */
interface VariableValues {
  readonly name: string;
  readonly values: readonly EscValue[];
}

function groupValues(environments: readonly EvaluatedEnvironment[]): readonly VariableValues[] {
  const namedValues = environments.flatMap(({ variables }) =>
    Array.from(variables).flatMap(([name, value]) => (value.kind === "list-or-object" ? [] : [{ name, value }])),
  );
  const groups = groupBy(namedValues, ({ name }) => name);
  return Array.from(groups, ([name, group]) => ({ name, values: group.map(({ value }) => value) }));
}

/** The variables of ESC, by how the new contract treats them. A start with today's values must meet that contract. */
interface SortedVariables {
  readonly candidatesWithValue: readonly Candidate[];
  /** Variables without a value. They are optional, since a required variable with an empty value would be missing. */
  readonly emptyCandidates: readonly Candidate[];
  /** Variables that are not declared: a start is refused if a declared variable has a placeholder. */
  readonly placeholderNames: readonly string[];
}

function sortVariables(variables: readonly VariableValues[]): SortedVariables {
  const candidatesWithValue: Candidate[] = [];
  const emptyCandidates: Candidate[] = [];
  const placeholderNames: string[] = [];
  for (const { name, values } of variables) {
    if (mayBePlaceholder(values)) placeholderNames.push(name);
    else if (values.every(isEmpty)) emptyCandidates.push({ ...toCandidate(name, values), isOptional: true });
    else candidatesWithValue.push(toCandidate(name, values));
  }
  return { candidatesWithValue, emptyCandidates, placeholderNames };
}

/** Makes a candidate of a variable's values in the environments. The values of secrets are unknown. */
function toCandidate(name: string, values: readonly EscValue[]): Candidate {
  const knownTexts = values.map(knownTextOf).filter((text) => text !== undefined);
  const areAllKnown = knownTexts.length === values.length;
  // An unknown value may be a secret, and may have any format.
  const isPublic = areAllKnown && knownTexts.every((text) => isPublicValue(name, text));
  const admitsFormat = areAllKnown ? createFormatTest(name, knownTexts) : undefined;
  return { name, required: false, hasValue: true, admitsFormat, secret: !isPublic };
}

/** Returns the text of a value, or undefined for a value that ESC shows only when the environment is opened. */
function knownTextOf(value: EscValue): string | undefined {
  return value.kind === "known" ? value.variable.value : undefined;
}

function isEmpty(value: EscValue): boolean {
  const text = knownTextOf(value);
  return text !== undefined && isBlank(text);
}

/**
 * Returns true if the program may get a placeholder. If several environments set the variable, the last one that does not
 * leave it empty wins. So the last known value is decisive; an unknown value after it may turn out to be empty once the
 * environment is opened.
 */
function mayBePlaceholder(values: readonly EscValue[]): boolean {
  const lastValue = values.findLast((value) => value.kind === "known" && !isEmpty(value));
  if (lastValue?.kind !== "known") return false;
  const { delivery, value } = lastValue.variable;
  // With the delivery `file`, the program gets the path of a file that holds the value.
  return delivery === "value" && isPlaceholder({ secret: false }, value);
}

/** Returns the remark that gives the reason for some variables, or no remark if there are none. */
function describeNames(reason: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${reason}: ${enumerateFew(names.map(printable))}`];
}
