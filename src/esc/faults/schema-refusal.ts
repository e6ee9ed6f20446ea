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
export function isSchemaRefusal(fault: Fault): boolean {
  if (fault.kind !== "status") return false;
  const errors = fault.diagnostics.filter(({ severity }) => severity === "error");
  return errors.length > 0 && errors.every(isOfSchema);
}

/** Returns the names of the variables whose values a schema refuses. */
function refusedNames(diagnostics: readonly Diagnostic[]): ReadonlySet<string> {
  return new Set(
    diagnostics.flatMap(({ path = "" }) => {
      const [, plain, quoted] = OF_VALUE.exec(path) ?? [];
      return plain ?? quoted ?? [];
    }),
  );
}

/** Words the findings of a schema: one line for each variable, and one for each rule of several. No line has a value. */
export function refusalLines(diagnostics: readonly Diagnostic[]): readonly string[] {
  const values = Array.from(refusedNames(diagnostics), (name) => `${name}: the schema refuses its value`);
  const rules = diagnostics.filter(({ path = "" }) => OF_RULE.test(path)).map(({ summary }) => summary);
  const missing = rules.flatMap(
    (summary) => /^missing required properties: (.*)$/.exec(summary)?.[1]?.split(", ") ?? [],
  );
  const required = missing.map((name) => `${name}: the schema requires it`);
  const isOther = rules.some((summary) => summary.startsWith("at least one"));
  return [...values, ...required, ...(isOther ? ["a rule of the schema over several variables is not met"] : [])];
}
