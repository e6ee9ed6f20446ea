/**
 * Translates messages of Pulumi ESC into violations of the contract. `sophia-run enforce` writes the contract into ESC
 * as a schema (contract-schema.ts). If a value does not meet this schema, ESC returns no values, but only messages such
 * as:
 *
 *     string must match the pattern "^(?:[A-Z]{3})$"
 *
 * From these, this file finds the rule of the contract that the value breaks, so that the user reads the same message
 * as without a schema.
 */
import { groupBy } from "../../core/group-by.ts";
import type { Diagnostic } from "../../core/model.ts";
import { variableOfFinding, isAboutRule, findMissingNames } from "../../esc/faults/schema-refusal.ts";
import { declarationOf, isDeclared, namesOfDeclaration } from "../check-contract.ts";
import type { Contract, Declaration, FormatFault, Rule, ValueFormat, Violation } from "../contract-model.ts";
import type { EscSchema } from "./esc-schema.ts";
import {
  BLANK_VALUES,
  EMPTY_VALUES,
  INVISIBLE_TEXT,
  SET_VALUES,
  createTextRules,
  createValueSchema,
} from "./value-schema.ts";

/** The messages of ESC about the values of one environment, sorted. */
export interface SchemaFindings {
  /** The messages about each value, by the name in ESC, which may be an alias. */
  readonly values: ReadonlyMap<string, readonly Diagnostic[]>;
  /** The names that the environment lacks. A rule requires each of them, or one of several. */
  readonly missing: readonly string[];
  /** True if a rule over several variables is not met. */
  readonly isRuleUnmet: boolean;
}

/** Sorts the errors that ESC reports by what they are about. */
export function sortFindings(diagnostics: readonly Diagnostic[]): SchemaFindings {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const errorsOfValues = errors.filter((error) => variableOfFinding(error) !== undefined);
  const values = groupBy(errorsOfValues, (error) => variableOfFinding(error) ?? "");
  const missing = [...new Set(errors.flatMap(findMissingNames))];
  const isRuleUnmet = errors.some((error) => isAboutRule(error) && findMissingNames(error).length === 0);
  return { values, missing, isRuleUnmet };
}

/** Returns true if a contract declares each variable that ESC names, so that the contract can explain the refusal. */
export function areNamesDeclared(contract: Contract, { values, missing }: SchemaFindings): boolean {
  const isKnown = (name: string): boolean => isDeclared(contract, name) || contract.scope?.outside.has(name) === true;
  return [...values.keys(), ...missing].every(isKnown);
}

/**
 * Returns true if violations of a contract explain what ESC reports.
 *
 * @param areNamesKnown true if the names of all variables in ESC are known. A check of the contract with these names
 *   then finds the violations that messages alone do not show
 */
export function canExplain(contract: Contract, diagnostics: readonly Diagnostic[], areNamesKnown: boolean): boolean {
  const findings = sortFindings(diagnostics);
  return areNamesDeclared(contract, findings) && (areNamesKnown || deriveViolations(contract, findings).length > 0);
}

type RequiredRule = Extract<Rule, { kind: "required" }>;

/**
 * Returns the violations that follow from findings, without knowing a value.
 *
 * The violation is `refused` if no rule of the contract explains the finding. This happens if the schema in ESC was
 * written for another contract.
 */
export function deriveViolations(contract: Contract, findings: SchemaFindings): readonly Violation[] {
  const requiredRules = new Map(
    contract.rules.flatMap((rule): readonly [string, RequiredRule][] =>
      rule.kind === "required" ? [[rule.name, rule]] : [],
    ),
  );
  const violations = new Map(deriveValueViolations(contract, findings, requiredRules));
  const absentVariables = findAbsentVariables(contract, findings.missing);
  for (const name of absentVariables) {
    const rule = requiredRules.get(name);
    if (rule !== undefined && !violations.has(name)) violations.set(name, { kind: "missing", rule, name });
  }
  const groupViolations = contract.rules.flatMap((rule): readonly Violation[] => {
    if (rule.kind !== "one-of" && rule.kind !== "at-least-one" && rule.kind !== "exactly-one") return [];
    return rule.names.every((name) => absentVariables.has(name)) ? [{ kind: "none-set", rule }] : [];
  });
  const conditionViolations = contract.rules.flatMap((rule): readonly Violation[] => {
    // If the variable of the condition has a wrong value, it is not certain that the condition is met.
    if (rule.kind !== "required-when" || !absentVariables.has(rule.name) || violations.has(rule.when.name)) return [];
    return [{ kind: "missing-when", rule, name: rule.name, when: rule.when }];
  });
  // ESC does not report which rule is not met: a group explains it, and otherwise a condition.
  const isConditionUnmet = findings.isRuleUnmet && groupViolations.length === 0;
  return [...violations.values(), ...groupViolations, ...(isConditionUnmet ? conditionViolations : [])];
}

/** Yields the violation of each value about which ESC reports something, by the name of its variable. */
function* deriveValueViolations(
  contract: Contract,
  { values, isRuleUnmet }: SchemaFindings,
  requiredRules: ReadonlyMap<string, RequiredRule>,
): Generator<[string, Violation]> {
  for (const [nameInEsc, diagnostics] of values) {
    const declaration = declarationOf(contract, nameInEsc);
    const name = declaration?.name ?? nameInEsc;
    const rule = requiredRules.get(name);
    const isInUnmetRule = isRuleUnmet && contract.rules.some((candidate) => isSharedRule(candidate, name));
    const isRequired = rule !== undefined;
    const fault = declaration && findFault(declaration, diagnostics, { isRequired, isInUnmetRule });
    if (fault === "blank" && isRequired) yield [name, { kind: "missing", rule, name }];
    else if (typeof fault === "object") yield [name, { kind: "malformed", name, fault }];
    // ESC also reports values when a rule over several variables is not met. Then the value itself may be right.
    else if (!isInUnmetRule) yield [name, { kind: "refused", name }];
  }
}

/** Returns the variables that ESC lacks under their name and under each alias. */
function findAbsentVariables(contract: Contract, missing: readonly string[]): ReadonlySet<string> {
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
function isSharedRule(rule: Rule, name: string): boolean {
  if (rule.kind === "required-when") return rule.name === name || rule.when.name === name;
  return "names" in rule && rule.names.includes(name);
}

/**
 * The beginning of a message about a text. The expression follows in quotes. ESC quotes ASCII characters as JSON does.
 */
const PATTERN_MESSAGE = "string must match the pattern ";
/** In characters. ESC cuts long messages, but never to fewer than these, so that the beginnings can be compared. */
const COMPARED_LENGTH = 250;
/** The expressions that the schemas of many variables and rules have in common. */
const SHARED_EXPRESSIONS = collectExpressions([...EMPTY_VALUES, ...BLANK_VALUES, ...SET_VALUES, INVISIBLE_TEXT]);

/** Returns true if ESC reports that a text does not match the expression. */
function isAboutPattern({ summary }: Diagnostic, expression: string): boolean {
  const message = PATTERN_MESSAGE + JSON.stringify(expression);
  if (summary === message) return true;
  return message.length > COMPARED_LENGTH && summary.startsWith(message.slice(0, COMPARED_LENGTH));
}

/** The facts about a variable that are not in its declaration. */
interface FaultContext {
  readonly isRequired: boolean;
  /** True if a rule over several variables is not met, and this variable is one of them: ESC may report that rule. */
  readonly isInUnmetRule: boolean;
}

/**
 * Finds the part of the format that a value does not meet, as far as messages of ESC show it.
 *
 * @returns `blank` if the value must have a visible character; undefined if the messages are not about the schema that
 *   sophia-run writes for this variable
 */
function findFault(
  declaration: Declaration,
  diagnostics: readonly Diagnostic[],
  { isRequired, isInUnmetRule }: FaultContext,
): FormatFault | "blank" | undefined {
  const { format } = declaration;
  const patternDiagnostics = diagnostics.filter(({ summary }) => summary.startsWith(PATTERN_MESSAGE));
  // A shared expression does not show whose schema refused the value.
  const specificDiagnostics = patternDiagnostics.filter(
    (diagnostic) => !isAboutAnyPattern(diagnostic, SHARED_EXPRESSIONS),
  );
  const expressionsOfVariable = collectExpressions(createValueSchema(declaration, isRequired).alternatives);
  const isOfOtherSchema =
    specificDiagnostics.length > 0 &&
    !specificDiagnostics.some((diagnostic) => isAboutAnyPattern(diagnostic, expressionsOfVariable));
  if (isOfOtherSchema) return undefined;
  const mayBeOfRule =
    specificDiagnostics.length === 0 && !diagnostics.some((diagnostic) => isAboutFormat(diagnostic, format));
  if (isInUnmetRule && mayBeOfRule) return undefined;
  if (format === undefined || format.kind === "text") return findTextFault(format, patternDiagnostics, isRequired);
  return createFaultOfFormat(format);
}

function isAboutAnyPattern(diagnostic: Diagnostic, expressions: readonly string[]): boolean {
  return expressions.some((expression) => isAboutPattern(diagnostic, expression));
}

/** Returns the fault of the first requirement on a text about which ESC reports something. */
function findTextFault(
  format: Extract<ValueFormat, { readonly kind: "text" }> | undefined,
  patternDiagnostics: readonly Diagnostic[],
  isRequired: boolean,
): FormatFault | "blank" | undefined {
  const textRules = createTextRules(format, isRequired);
  const unmetRule = textRules.find(({ expression }) =>
    patternDiagnostics.some((diagnostic) => isAboutPattern(diagnostic, expression)),
  );
  // ESC refuses a number or a boolean because of its type. Then no rule of a text is met, and the first one is reported.
  return (unmetRule ?? textRules[0])?.fault;
}

/**
 * Returns true for a message about the type or the `enum` of a format. ESC sends none for a rule over several
 * variables.
 */
function isAboutFormat({ summary }: Diagnostic, format: ValueFormat | undefined): boolean {
  if (format?.kind !== "enum") return summary.startsWith("expected a ");
  const [first, ...others] = format.values;
  const expected = others.length === 0 ? JSON.stringify(first) : `one of ${JSON.stringify(format.values)}`;
  return summary.slice(0, COMPARED_LENGTH) === `expected ${expected}`.slice(0, COMPARED_LENGTH);
}

/** Returns the expressions in schemas of values. `createPatternMembers` of value-schema.ts nests them in `anyOf`. */
function collectExpressions(schemas: readonly EscSchema[]): readonly string[] {
  return schemas.flatMap(({ pattern, anyOf = [] }) => [
    ...(pattern === undefined ? [] : [pattern]),
    ...collectExpressions(anyOf),
  ]);
}

/** Returns the fault that describes the whole format, since messages do not show which part of it is not met. */
function createFaultOfFormat(format: Exclude<ValueFormat, { readonly kind: "text" }>): FormatFault {
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
