/**
 * Translates what ESC reports about values by the schema of a contract (`sophia-run enforce`) back to violations of the
 * contract, so that the user reads the same message as without a schema; pure. ESC reports only texts, such as:
 *
 *     string must match the pattern "^(?:[A-Z]{3})$"
 */
import { grouped } from "../../core/grouped.ts";
import type { Diagnostic } from "../../core/model.ts";
import { aboutValue, isAboutRule, missingIn } from "../../esc/faults/schema-refusal.ts";
import { declarationOf, isDeclared, namesOfDeclaration } from "../check-contract.ts";
import type { Contract, Declaration, FormatFault, Rule, ValueFormat, Violation } from "../contract-model.ts";
import type { EscSchema } from "./esc-schema.ts";
import { BLANK_VALUES, EMPTY_VALUES, INVISIBLE_TEXT, SET_VALUES, textRules, valueSchema } from "./value-schema.ts";

/** The findings of ESC about one environment. */
export interface SchemaFindings {
  /** The findings about values, by the name in the environment, which may be an alias. */
  readonly values: ReadonlyMap<string, readonly Diagnostic[]>;
  /** The names that the environment lacks, although a rule requires each of them or one of several. */
  readonly missing: readonly string[];
  /** True if a rule over several variables is not met. */
  readonly isRuleUnmet: boolean;
}

/** Groups the errors of a schema by what they are about. */
export function sortFindings(diagnostics: readonly Diagnostic[]): SchemaFindings {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const values = grouped(
    errors.filter((error) => aboutValue(error) !== undefined),
    (error) => aboutValue(error) ?? "",
  );
  const missing = [...new Set(errors.flatMap(missingIn))];
  const isRuleUnmet = errors.some((error) => isAboutRule(error) && missingIn(error).length === 0);
  return { values, missing, isRuleUnmet };
}

/** Returns true if a contract declares each variable that ESC names, so that the contract can explain the refusal. */
export function areDeclared(contract: Contract, { values, missing }: SchemaFindings): boolean {
  const isKnown = (name: string): boolean => isDeclared(contract, name) || contract.scope?.outside.has(name) === true;
  return [...values.keys(), ...missing].every(isKnown);
}

/**
 * Returns true if violations of a contract explain what ESC reports.
 *
 * @param isComplete true if the names of all variables in ESC are known
 */
export function isExplained(contract: Contract, diagnostics: readonly Diagnostic[], isComplete: boolean): boolean {
  const findings = sortFindings(diagnostics);
  return areDeclared(contract, findings) && (isComplete || violationsOfFindings(contract, findings).length > 0);
}

/**
 * Returns the violations that follow from findings, without knowing a value.
 *
 * If no rule of the contract has the finding, because the schema is that of another contract, the violation is `refused`.
 */
export function violationsOfFindings(
  contract: Contract,
  { values, missing, isRuleUnmet }: SchemaFindings,
): readonly Violation[] {
  const required = new Map(contract.rules.flatMap((rule) => (rule.kind === "required" ? [[rule.name, rule]] : [])));
  const violations = new Map<string, Violation>();
  for (const [nameInEsc, findings] of values) {
    const declaration = declarationOf(contract, nameInEsc);
    const name = declaration?.name ?? nameInEsc;
    const rule = required.get(name);
    const isInRule = isRuleUnmet && contract.rules.some((candidate) => isOver(candidate, name));
    const fault = declaration && findFault(declaration, rule !== undefined, isInRule, findings);
    if (fault === "blank" && rule !== undefined) violations.set(name, { kind: "missing", rule, name });
    else if (typeof fault === "object") violations.set(name, { kind: "malformed", name, fault });
    // With a rule over several variables, the finding may only be a part of what ESC reports about this rule.
    else if (!isInRule) violations.set(name, { kind: "refused", name });
  }
  const absent = absentVariables(contract, missing);
  for (const name of absent) {
    const rule = required.get(name);
    if (rule !== undefined && !violations.has(name)) violations.set(name, { kind: "missing", rule, name });
  }
  const groups = contract.rules.flatMap((rule): readonly Violation[] => {
    if (rule.kind !== "one-of" && rule.kind !== "at-least-one" && rule.kind !== "exactly-one") return [];
    return rule.names.every((name) => absent.has(name)) ? [{ kind: "none-set", rule }] : [];
  });
  const conditions = contract.rules.flatMap((rule): readonly Violation[] => {
    // If the value of the condition is wrong, the condition may not be met.
    if (rule.kind !== "required-when" || !absent.has(rule.name) || violations.has(rule.when.name)) return [];
    return [{ kind: "missing-when", rule, name: rule.name, when: rule.when }];
  });
  // A rule that is not met is explained by a group, or otherwise by a condition.
  const ofRules = groups.length > 0 || !isRuleUnmet ? groups : conditions;
  return [...violations.values(), ...ofRules];
}

/** Returns the variables that are missing under their name and all aliases. */
function absentVariables(contract: Contract, missing: readonly string[]): ReadonlySet<string> {
  const isMissing = (name: string): boolean => missing.includes(name);
  const names = new Set(missing.map((name) => declarationOf(contract, name)?.name ?? name));
  const absent = Array.from(names).filter((name) => {
    const declaration = contract.variables.get(name);
    const allNames = declaration === undefined ? [name] : namesOfDeclaration(declaration);
    return allNames.every(isMissing);
  });
  return new Set(absent);
}

/** Returns true if a rule is about several variables, and this variable is one of them. */
function isOver(rule: Rule, name: string): boolean {
  if (rule.kind === "required-when") return rule.name === name || rule.when.name === name;
  return "names" in rule && rule.names.includes(name);
}

/** The beginning of a finding about a text. The expression follows, quoted by `%q` of Go, which quotes ASCII like JSON. */
const PATTERN_MESSAGE = "string must match the pattern ";
/** The service cuts long messages. Beginnings of this length are compared: a cut message has at least so many characters. */
const COMPARED_LENGTH = 250;
/** The expressions in the schemas of rules over several variables, and of optional variables. */
const SHARED_EXPRESSIONS = expressionsIn([...EMPTY_VALUES, ...BLANK_VALUES, ...SET_VALUES, INVISIBLE_TEXT]);

/** Returns true if a finding is about a text that does not match the expression. */
function isAboutPattern({ summary }: Diagnostic, expression: string): boolean {
  const message = PATTERN_MESSAGE + JSON.stringify(expression);
  if (summary === message) return true;
  return message.length > COMPARED_LENGTH && summary.startsWith(message.slice(0, COMPARED_LENGTH));
}

/**
 * Finds the part of the format that a value does not meet, as far as findings show it.
 *
 * @param isInRule true if the findings may be those of a rule over several variables
 * @returns `blank` if the value must have a visible character; undefined if the findings are not those of this variable's
 *   schema
 */
function findFault(
  declaration: Declaration,
  isRequired: boolean,
  isInRule: boolean,
  findings: readonly Diagnostic[],
): FormatFault | "blank" | undefined {
  const { format } = declaration;
  const patternFindings = findings.filter(({ summary }) => summary.startsWith(PATTERN_MESSAGE));
  const expressions = expressionsIn(valueSchema(declaration, isRequired).alternatives);
  const isAbout = (finding: Diagnostic, candidates: readonly string[]): boolean =>
    candidates.some((expression) => isAboutPattern(finding, expression));
  // Many schemas have the shared expressions: they do not show whose schema has refused the value.
  const specificFindings = patternFindings.filter((finding) => !isAbout(finding, SHARED_EXPRESSIONS));
  if (specificFindings.length > 0 && !specificFindings.some((finding) => isAbout(finding, expressions)))
    return undefined;
  const isOnlyOfRule = specificFindings.length === 0 && !findings.some((finding) => isAboutFormat(finding, format));
  if (isInRule && isOnlyOfRule) return undefined;
  if (format?.kind === "text" || format === undefined) {
    const rules = textRules(format, isRequired);
    const unmetRule = rules.find(({ expression }) =>
      patternFindings.some((finding) => isAboutPattern(finding, expression)),
    );
    // ESC refuses a number or a boolean because of its type. Then no rule of a text is met, and the first one is reported.
    return (unmetRule ?? rules[0])?.fault;
  }
  return faultOfKind(format);
}

/** Returns true for a finding about the type or the list of values of a format, which no rule over several variables makes. */
function isAboutFormat({ summary }: Diagnostic, format: ValueFormat | undefined): boolean {
  if (format?.kind !== "enum") return summary.startsWith("expected a ");
  const [first, ...others] = format.values;
  const expected = others.length === 0 ? JSON.stringify(first) : `one of ${JSON.stringify(format.values)}`;
  return summary.slice(0, COMPARED_LENGTH) === `expected ${expected}`.slice(0, COMPARED_LENGTH);
}

/** Returns the expressions in schemas of values. */
function expressionsIn(schemas: readonly EscSchema[]): readonly string[] {
  return schemas.flatMap(({ pattern, anyOf = [] }) => [
    ...(pattern === undefined ? [] : [pattern]),
    ...expressionsIn(anyOf),
  ]);
}

/** Returns the fault that describes the whole format, since findings do not show which part of it is not met. */
function faultOfKind(format: Exclude<ValueFormat, { readonly kind: "text" }>): FormatFault {
  switch (format.kind) {
    case "url":
      return format.schemes.length === 0
        ? { kind: "not-url", schemes: [] }
        : { kind: "scheme", schemes: format.schemes };
    case "enum":
      return { kind: "not-in-enum", values: format.values };
    case "integer":
    case "number": {
      const { kind, ...range } = format;
      const hasRange = range.minimum !== undefined || range.maximum !== undefined;
      return hasRange ? { kind: "out-of-range", ...range } : { kind: `not-${kind}` };
    }
    case "boolean":
    case "port":
    case "json":
    case "base64":
    case "email":
      return { kind: `not-${format.kind}` };
  }
}
