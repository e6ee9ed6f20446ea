/**
 * Describes the plan of a change to Pulumi ESC, which write-plan.ts makes, to the user. `set` and `import` print it before they ask
 * for a confirmation. The text contains no values.
 */
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import type { OmittedNames } from "./value-to-write.ts";
import { isChange, type PlannedState, type PlannedValue } from "./write-plan.ts";

/** The reasons why a variable is not written, in the order of the text. */
const REASONS_TO_KEEP: readonly (readonly [state: PlannedState, reason: string])[] = [
  ["same", "already the same in ESC"],
  ["differs", "kept, since ESC has another value; --overwrite replaces it"],
  ["needs-approval", "kept, since reading the value in ESC requires an approval; --overwrite replaces it"],
  ["schema-refused", "kept, since a schema in ESC refuses values and hides this one; --overwrite replaces it"],
  ["file", "kept, since it is a file in ESC"],
  ["function", "kept, since a provider or function sets it in ESC"],
];

/**
 * Describes a plan: a line for each change (`+ API_KEY  secret`), then a line for each reason why variables are kept.
 *
 * @param heading the source and the target, such as `.env into acme/app/dev@1`
 * @param plainTextOption the option by which the user writes plain text, such as `--plain NAME`
 */
export function describePlan(
  plan: readonly PlannedValue[],
  heading: string,
  plainTextOption: string,
  omitted: OmittedNames = { settings: [], empty: [] },
): string {
  const assumedSecrets = plan.filter((planned) => isChange(planned) && planned.isAssumedSecret === true);
  const pronoun = assumedSecrets.length === 1 ? "it" : "them";
  return [
    `${printable(heading)}:`,
    ...formatChanges(plan),
    ...REASONS_TO_KEEP.flatMap(([state, reason]) =>
      formatNamesLine(namesOf(plan.filter((planned) => planned.state === state)), reason),
    ),
    ...formatNamesLine(
      namesOf(plan.filter(({ isPlainTextInEsc }) => isPlainTextInEsc === true)),
      "a secret that is plain text in ESC",
    ),
    ...plan.flatMap(formatCredentialLine),
    ...formatNamesLine(
      namesOf(assumedSecrets),
      `secret, since the contract does not declare ${pronoun}; ${plainTextOption} writes plain text`,
    ),
    ...formatNamesLine(omitted.empty, "left out: empty, which means unset"),
    ...formatNamesLine(omitted.settings, "left out: settings of sophia-run"),
    "",
  ].join("\n");
}

/** Returns the lines of added variables, then those of replaced ones, with aligned columns. */
function formatChanges(plan: readonly PlannedValue[]): readonly string[] {
  const width = Math.max(0, ...plan.filter(isChange).map(({ name }) => printable(name).length));
  const linesFor = (state: PlannedState, sign: string): readonly string[] =>
    plan
      .filter((planned) => planned.state === state)
      .map(({ name, secret }) => `  ${sign} ${printable(name).padEnd(width)}  ${secret ? "secret" : "plain text"}`);
  return [...linesFor("added", "+"), ...linesFor("replaced", "~")];
}

/** Returns a line about a value that is a secret because it contains a credential; none for other values. */
function formatCredentialLine({ name, credential }: PlannedValue): readonly string[] {
  if (credential === undefined || credential === "") return [];
  return formatNamesLine(
    [name],
    `secret, since the value holds ${credential}, although the contract declares it public`,
  );
}

/** Returns a line about variables: their names, and a text. Returns no line if there are no variables. */
function formatNamesLine(names: readonly string[], text: string): readonly string[] {
  return names.length === 0 ? [] : [`  ${enumerateFew(names.map(printable))}: ${text}`];
}

function namesOf(plan: readonly PlannedValue[]): readonly string[] {
  return plan.map(({ name }) => name);
}
