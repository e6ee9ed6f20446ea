/**
 * Recognizes that a schema in an ESC environment (`fn::validate`) refuses a value. ESC reports such findings in the same form as mistakes
 * in a definition, so they are recognized by their paths and words.
 */
import type { Diagnostic } from "../../core/model.ts";
import type { Fault } from "./esc-fault.ts";

/** Matches the path of a value that a schema refuses: `values.environmentVariables.NAME`. */
const VALUE_PATH = /^values\.environmentVariables(?:\.([A-Za-z_]\w*)|\["((?:[^"\\]|\\.)+)"\])$/;
/** Matches the path of a finding about several values, or a missing one: `values.contract["fn::validate"].value`. */
const RULE_PATH = /^values\.[\w-]+\["fn::validate"\]\.value$/;
/** Matches the words of ESC's evaluator (pulumi/esc, eval_validate.go). Other findings may be about a value as well. */
const SCHEMA_WORDS =
  /^(?:expected (?:one of |a |array|boolean|null|number|object|string|["[{\d-]|true|false)|string must match |at least one subschema |exactly one subschema |missing required propert)/;

/** Returns true for a finding that a schema makes about a value. */
export function isSchemaFinding({ path = "", summary }: Diagnostic): boolean {
  return SCHEMA_WORDS.test(summary) && (VALUE_PATH.test(path) || RULE_PATH.test(path));
}

/** Returns true if ESC refuses an environment only because a schema in it refuses its values. */
export function isSchemaRefusal(fault: Fault): fault is Extract<Fault, { readonly kind: "status" }> {
  if (fault.kind !== "status") return false;
  const errors = fault.diagnostics.filter(({ severity }) => severity === "error");
  return errors.length > 0 && errors.every(isSchemaFinding);
}

/** Returns the variable whose value a finding is about; undefined for a finding about several values. */
export function variableOfFinding({ path = "" }: Diagnostic): string | undefined {
  const [, plain, quoted] = VALUE_PATH.exec(path) ?? [];
  return plain ?? quoted;
}

/** Returns true for a finding about the values together. */
export function isAboutRule({ path = "" }: Diagnostic): boolean {
  return RULE_PATH.test(path);
}

/** Returns the variables that a finding calls missing. */
export function findMissingNames(finding: Diagnostic): readonly string[] {
  if (!isAboutRule(finding)) return [];
  return /^missing required propert(?:y|ies): (.*)$/.exec(finding.summary)?.[1]?.split(", ") ?? [];
}

/** Describes the findings of a schema: a line for each variable, and one for all rules over several variables. No line has a value. */
export function refusalLines(diagnostics: readonly Diagnostic[]): readonly string[] {
  const names = new Set(diagnostics.flatMap((finding) => variableOfFinding(finding) ?? []));
  const missing = new Set(diagnostics.flatMap(findMissingNames));
  const isRuleBroken = diagnostics.some(
    (finding) => isAboutRule(finding) && finding.summary.startsWith("at least one"),
  );
  return [
    ...Array.from(names, (name) => `${name}: the schema refuses its value`),
    ...Array.from(missing, (name) => `${name}: the schema requires it`),
    ...(isRuleBroken ? ["a rule of the schema over several variables is not met"] : []),
  ];
}
