/**
 * Checks a contract: whether the variables that must be set are set (rules), and whether each value is acceptable (formats,
 * placeholders, references). The code has no side effects. A variable is set if its value has a visible character.
 */
import type { Resolution } from "../core/model.ts";
import { isOnlyReference, schemeOf, type ReferenceForm } from "../core/reference-forms.ts";
import type {
  CheckedViolation,
  Condition,
  Contract,
  Declaration,
  FormatCheck,
  Rule,
  RuleViolation,
  ValueFormat,
  Violation,
  ValueViolation,
} from "./contract-model.ts";
import { isPlaceholder } from "./placeholder.ts";

/** Matches a visible character. Unicode has more invisible characters than `\s`. */
export const VISIBLE = /[^\s\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF]/;

/**
 * Returns all violations: those of rules and then those of values, in the order of the contract.
 *
 * @throws SophiaError (contract-slow, 125)
 */
export function checkContract(
  contract: Contract,
  resolution: Resolution,
  formatFault: FormatCheck,
): readonly CheckedViolation[] {
  const violations: CheckedViolation[] = [];
  for (const rule of contract.rules) {
    const violation = checkRule(rule, resolution);
    if (violation !== undefined) violations.push(violation);
  }
  for (const declaration of contract.variables.values()) {
    const violation = checkValue(declaration, resolution, formatFault);
    if (violation !== undefined) violations.push(violation);
  }
  return violations;
}

/** Returns true if the variable has a value with a visible character. */
export function isSet(resolution: Resolution, name: string): boolean {
  return !isBlank(resolution.get(name)?.value ?? "");
}

/** Returns true for a value without a visible character. */
export function isBlank(value: string): boolean {
  const firstCode = value.charCodeAt(0);
  // Fast path: these characters of ASCII are visible, and most values begin with one.
  const isFirstVisible = firstCode > 0x20 && firstCode < 0x7f;
  return !isFirstVisible && !VISIBLE.test(value);
}

/** Returns the variable of a group that the program uses: the first one that is set. */
export function findUsedVariable(names: readonly string[], resolution: Resolution): string | undefined {
  return names.find((name) => isSet(resolution, name));
}

/** Returns the declaration of the variable with this name or alias. */
export function declarationOf({ aliases, variables }: Contract, name: string): Declaration | undefined {
  return variables.get(aliases.get(name) ?? name);
}

/** Returns the names under which sources may have a variable: its name, and then its aliases. */
export function namesOfDeclaration({ name, aliases }: Declaration): readonly string[] {
  return [name, ...aliases.map((alias) => alias.name)];
}

/** Returns true for the name or an alias of a declared variable. */
export function isDeclared(contract: Contract, name: string): boolean {
  return contract.variables.has(name) || contract.aliases.has(name);
}

/** Returns the variables that a violation is about: those of a group, or the one that is missing or wrong. */
export function namesOfViolation(violation: Violation): readonly string[] {
  if ("name" in violation) return [violation.name];
  return "rule" in violation ? violation.rule.names : [];
}

/** Checks one rule. Does not check values. @returns undefined if the rule is met */
export function checkRule(rule: Rule, resolution: Resolution): RuleViolation | undefined {
  switch (rule.kind) {
    case "optional":
      return undefined;
    case "required":
      return isSet(resolution, rule.name) ? undefined : { kind: "missing", rule, name: rule.name };
    case "required-when":
      return isSet(resolution, rule.name) || !isMet(rule.when, resolution)
        ? undefined
        : { kind: "missing-when", rule, name: rule.name, when: rule.when };
    case "one-of":
    case "at-least-one":
      return findUsedVariable(rule.names, resolution) === undefined ? { kind: "none-set", rule } : undefined;
    case "exactly-one": {
      // A default is set, too, but does not conflict with a variable that a source sets.
      const set = rule.names.filter((name) => isSetBySource(resolution, name));
      if (set.length > 1) return { kind: "several-set", rule, set };
      return findUsedVariable(rule.names, resolution) === undefined ? { kind: "none-set", rule } : undefined;
    }
    case "all-or-none": {
      // A default does not require the other variables, but completes a group that a source has begun.
      const set = rule.names.filter((name) => isSetBySource(resolution, name));
      const missing = set.length === 0 ? [] : rule.names.filter((name) => !isSet(resolution, name));
      return missing.length === 0 ? undefined : { kind: "some-missing", rule, set, missing };
    }
  }
}

function isMet({ name, equals }: Condition, resolution: Resolution): boolean {
  const { value = "" } = resolution.get(name) ?? {};
  return value !== "" && (equals === undefined || equals.includes(value));
}

/** Returns true if the value is not the default of the contract. */
function isSetBySource(resolution: Resolution, name: string): boolean {
  return isSet(resolution, name) && resolution.get(name)?.origin.source !== "contract";
}

/** Checks the value of one variable. A variable without a value is acceptable here: rules decide about it. */
function checkValue(
  declaration: Declaration,
  resolution: Resolution,
  formatFault: FormatCheck,
): ValueViolation | undefined {
  const { name, format } = declaration;
  const resolved = resolution.get(name);
  if (resolved === undefined || resolved.value === "") return undefined;
  // With `"as": "file"` the format is that of the content. The value is the content if sophia-run writes the file
  // (`delivery`), or the path of a file that exists. Without `as`, a value that is delivered as a file is the content, but
  // the format is that of the path, which does not exist yet. Content and path cannot be compared.
  if ((resolved.delivery === "file") !== (declaration.as === "file")) return undefined;
  const { source } = resolved.origin;
  if (source !== "contract" && source !== "fake" && isPlaceholder(declaration, resolved.value)) {
    return { kind: "placeholder", name };
  }
  const form = resolved.reference ?? (source === "environment" ? schemeOf(resolved.value) : undefined);
  if (form !== undefined && isOnlyReference(form) && !isDeclaredReference(form, format)) {
    return { kind: "reference", name, form };
  }
  const fault = format === undefined ? undefined : formatFault(format, resolved.value, name);
  return fault === undefined ? undefined : { kind: "malformed", name, fault };
}

/** Returns true if the contract expects a reference of this form, so that the program resolves the reference itself. */
function isDeclaredReference(form: ReferenceForm, format: ValueFormat | undefined): boolean {
  if (format?.kind !== "text") return false;
  // A prefix or the pattern must contain the beginning of the form: `$` for a form of a shell (`$X`, `$(…)`), and otherwise three
  // characters (`op:`).
  const isOfShell = form.includes("…") || form.includes("X");
  const beginning = form.slice(0, isOfShell ? 1 : 3);
  const formatTexts = [...format.prefixes, format.pattern?.source ?? ""];
  return formatTexts.some((text) => text.includes(beginning));
}
