/** Findings of ESC by the schema of a contract, as violations of the contract. Pure. */
import { grouped } from "../../core/grouped.ts";
import type { Diagnostic } from "../../core/model.ts";
import { aboutValue, isAboutRule, missingIn } from "../../esc/faults/schema-refusal.ts";
import { declarationOf, isDeclared, namesOfDeclaration } from "../check-contract.ts";
import type { Contract, Declaration, FormatFault, Rule, ValueFormat, Violation } from "../contract-model.ts";
import type { EscSchema } from "./esc-schema.ts";
import { BLANK, EMPTY, INVISIBLE_TEXT, SET, textRules, valueSchema } from "./value-schema.ts";

/** The findings about one environment. */
export interface SchemaFindings {
  /** By the names that the environment uses, which may be aliases: what ESC says about the value. */
  readonly values: ReadonlyMap<string, readonly Diagnostic[]>;
  /** Names that the environment lacks: a rule requires each, or one of several. */
  readonly missing: readonly string[];
  /** A rule over several variables is not met. */
  readonly isRuleUnmet: boolean;
}

/** Sorts the errors of a schema by what they are about. */
export function sortFindings(diagnostics: readonly Diagnostic[]): SchemaFindings {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const values = grouped(
    errors.filter((one) => aboutValue(one) !== undefined),
    (one) => aboutValue(one) ?? "",
  );
  const missing = [...new Set(errors.flatMap(missingIn))];
  return { values, missing, isRuleUnmet: errors.some((one) => isAboutRule(one) && missingIn(one).length === 0) };
}

/** Returns true if a contract declares each variable that ESC names, so that it explains the refusal. */
export function areDeclared(contract: Contract, { values, missing }: SchemaFindings): boolean {
  const isKnown = (name: string): boolean => isDeclared(contract, name) || contract.scope?.outside.has(name) === true;
  return [...values.keys(), ...missing].every(isKnown);
}

/** Returns true if a contract words what ESC finds. @param isComplete whether the names of all variables in ESC are known */
export function isExplained(contract: Contract, diagnostics: readonly Diagnostic[], isComplete: boolean): boolean {
  const findings = sortFindings(diagnostics);
  return areDeclared(contract, findings) && (isComplete || violationsOfFindings(contract, findings).length > 0);
}

/**
 * Returns the violations that findings show although no value is known.
 *
 * A value whose rule cannot be found, since the schema is that of another contract, is a `refused` one.
 */
export function violationsOfFindings(
  contract: Contract,
  { values, missing, isRuleUnmet }: SchemaFindings,
): readonly Violation[] {
  const required = new Map(contract.rules.flatMap((rule) => (rule.kind === "required" ? [[rule.name, rule]] : [])));
  const found = new Map<string, Violation>();
  for (const [name, findings] of values) {
    const declaration = declarationOf(contract, name);
    const own = declaration?.name ?? name;
    const rule = required.get(own);
    const isInRule = isRuleUnmet && contract.rules.some((one) => isOver(one, own));
    const fault = declaration === undefined ? undefined : faultOf(declaration, rule !== undefined, isInRule, findings);
    if (fault === "blank" && rule !== undefined) found.set(own, { kind: "missing", rule, name: own });
    else if (typeof fault === "object") found.set(own, { kind: "malformed", name: own, fault });
    // The finding may be a part of that about the rule.
    else if (!isInRule) found.set(own, { kind: "refused", name: own });
  }
  // An alias may be missing beside the variable's own name.
  const isMissing = (name: string): boolean => missing.includes(name);
  const own = new Set(missing.map((name) => declarationOf(contract, name)?.name ?? name));
  const absent = new Set(
    Array.from(own).filter((name) => {
      const declaration = contract.variables.get(name);
      return (declaration === undefined ? [name] : namesOfDeclaration(declaration)).every(isMissing);
    }),
  );
  for (const name of absent) {
    const rule = required.get(name);
    if (rule !== undefined && !found.has(name)) found.set(name, { kind: "missing", rule, name });
  }
  const groups = contract.rules.flatMap((rule): readonly Violation[] => {
    if (rule.kind !== "one-of" && rule.kind !== "at-least-one" && rule.kind !== "exactly-one") return [];
    return rule.names.every((name) => absent.has(name)) ? [{ kind: "none-set", rule }] : [];
  });
  const conditions = contract.rules.flatMap((rule): readonly Violation[] => {
    // A condition whose value is wrong may not be met.
    if (rule.kind !== "required-when" || !absent.has(rule.name) || found.has(rule.when.name)) return [];
    return [{ kind: "missing-when", rule, name: rule.name, when: rule.when }];
  });
  // A condition that ESC finds to be met explains the rule, unless a group does.
  const ofRules = groups.length > 0 || !isRuleUnmet ? groups : conditions;
  return [...found.values(), ...ofRules];
}

/** Returns true for a rule over several variables with this one among them. */
function isOver(rule: Rule, name: string): boolean {
  if (rule.kind === "required-when") return rule.name === name || rule.when.name === name;
  return "names" in rule && rule.names.includes(name);
}

/** Go's `%q` writes ASCII as JSON does. Texts of the service are cut. */
const PATTERN = "string must match the pattern ";
const SURE_LENGTH = 250;
/** Expressions of rules over several variables, and of optional ones. */
const SHARED = expressionsIn([...EMPTY, ...BLANK, ...SET, INVISIBLE_TEXT]);

function isPatternOf(expression: string, { summary }: Diagnostic): boolean {
  const whole = PATTERN + JSON.stringify(expression);
  return summary === whole || (whole.length > SURE_LENGTH && summary.startsWith(whole.slice(0, SURE_LENGTH)));
}

/**
 * Returns the part of the format that a value does not meet, as far as findings show it, or `blank` if it must have a visible
 * character. @returns undefined if the findings are not those of this declaration's schema
 * @param isInRule whether findings may be those of a rule over several variables
 */
function faultOf(
  declaration: Declaration,
  isRequired: boolean,
  isInRule: boolean,
  findings: readonly Diagnostic[],
): FormatFault | "blank" | undefined {
  const { format } = declaration;
  const refused = findings.filter(({ summary }) => summary.startsWith(PATTERN));
  const expressions = expressionsIn(valueSchema(declaration, isRequired).alternatives);
  const isOwn = (one: Diagnostic): boolean => expressions.some((expression) => isPatternOf(expression, one));
  const isShared = (one: Diagnostic): boolean => SHARED.some((expression) => isPatternOf(expression, one));
  const telling = refused.filter((one) => !isShared(one));
  if (telling.length > 0 && !telling.some(isOwn)) return undefined;
  if (isInRule && telling.length === 0 && !findings.some((one) => isOfFormat(format, one))) return undefined;
  if (format?.kind === "text" || format === undefined) {
    const rules = textRules(format, isRequired);
    // A number or a boolean is refused as such, by all rules of a text.
    return (rules.find(({ expression }) => refused.some((one) => isPatternOf(expression, one))) ?? rules[0])?.fault;
  }
  return faultOfKind(format);
}

/** Returns true for a finding that no rule over several variables makes, apart from patterns. */
function isOfFormat(format: ValueFormat | undefined, { summary }: Diagnostic): boolean {
  if (format?.kind !== "enum") return summary.startsWith("expected a ");
  const [only, ...others] = format.values;
  const words = others.length === 0 ? JSON.stringify(only) : `one of ${JSON.stringify(format.values)}`;
  return summary.slice(0, SURE_LENGTH) === `expected ${words}`.slice(0, SURE_LENGTH);
}

function expressionsIn(schemas: readonly EscSchema[]): readonly string[] {
  return schemas.flatMap(({ pattern, anyOf = [] }) => [
    ...(pattern === undefined ? [] : [pattern]),
    ...expressionsIn(anyOf),
  ]);
}

/** Returns the fault that says what the format is. */
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
