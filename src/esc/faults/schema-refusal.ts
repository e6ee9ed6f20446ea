/** Findings of `fn::validate`, which ESC reports as it reports mistakes in a definition. Pure. */
import type { Diagnostic } from "../../core/model.ts";
import type { Fault } from "./esc-fault.ts";

/** `values.environmentVariables.NAME`: a value that a schema refuses. */
const OF_VALUE = /^values\.environmentVariables(?:\.([A-Za-z_]\w*)|\["((?:[^"\\]|\\.)+)"\])$/;
/** `values.contract["fn::validate"].value`: values that are missing, or that a rule of several variables refuses. */
const OF_RULE = /^values\.[\w-]+\["fn::validate"\]\.value$/;
/** The words of the evaluator (pulumi/esc, eval_validate.go). Other findings may be about a value, too. */
const WORDS =
  /^(?:expected (?:one of |a |array|boolean|null|number|object|string|["[{\d-]|true|false)|string must match |at least one subschema |exactly one subschema |missing required propert)/;

/** Returns true for a finding that a schema makes about a value. */
export function isOfSchema({ path = "", summary }: Diagnostic): boolean {
  return WORDS.test(summary) && (OF_VALUE.test(path) || OF_RULE.test(path));
}

/** Returns true if ESC refuses an environment only because a schema in it refuses its values. */
export function isSchemaRefusal(fault: Fault): fault is Extract<Fault, { readonly kind: "status" }> {
  if (fault.kind !== "status") return false;
  const errors = fault.diagnostics.filter(({ severity }) => severity === "error");
  return errors.length > 0 && errors.every(isOfSchema);
}

/** Returns the variable whose value a finding is about; undefined for a rule over several. */
export function aboutValue({ path = "" }: Diagnostic): string | undefined {
  const [, plain, quoted] = OF_VALUE.exec(path) ?? [];
  return plain ?? quoted;
}

/** Returns true for a finding about the values together. */
export function isAboutRule({ path = "" }: Diagnostic): boolean {
  return OF_RULE.test(path);
}

/** Returns the variables that a finding calls missing. */
export function missingIn(finding: Diagnostic): readonly string[] {
  if (!isAboutRule(finding)) return [];
  return /^missing required propert(?:y|ies): (.*)$/.exec(finding.summary)?.[1]?.split(", ") ?? [];
}

/** Words the findings of a schema: one line for each variable, and one for each rule of several. No line has a value. */
export function refusalLines(diagnostics: readonly Diagnostic[]): readonly string[] {
  const names = new Set(diagnostics.flatMap((one) => aboutValue(one) ?? []));
  const missing = new Set(diagnostics.flatMap(missingIn));
  const isOther = diagnostics.some((one) => isAboutRule(one) && one.summary.startsWith("at least one"));
  return [
    ...Array.from(names, (name) => `${name}: the schema refuses its value`),
    ...Array.from(missing, (name) => `${name}: the schema requires it`),
    ...(isOther ? ["a rule of the schema over several variables is not met"] : []),
  ];
}
