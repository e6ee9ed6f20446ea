/**
 * Checks the resolved values of a start against the contract: whether all variables are set that the rules require, and
 * whether each value has its format and is a real value, not a placeholder or a reference. Also has the functions that
 * find names in a contract.
 *
 * A variable is set if its value has a visible character.
 */
import type { Resolution } from "../core/model.ts";
import { isOnlyReference, referencePrefixOf, type ReferenceForm } from "../core/reference-forms.ts";
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

/** Matches a visible character. Not all invisible characters of Unicode are in `\s`. */
export const VISIBLE = /[^\s\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF]/;

/**
 * Returns all violations: first those of rules, and then those of values, both in the order of the contract.
 *
 * @param formatFault the check of formats. The caller creates one for each check, since it counts the work of all
 *   patterns
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
  // Fast path: most values begin with a visible character of ASCII.
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

/**
 * Returns the variables that a violation is about: the variable that is missing or wrong, or all variables of a group.
 */
export function namesOfViolation(violation: Violation): readonly string[] {
  if ("name" in violation) return [violation.name];
  return "rule" in violation ? violation.rule.names : [];
}

/** Checks one rule, but not whether values have their formats. @returns undefined if the rule is met */
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
      // A default does not conflict with a variable that a source sets, but meets the rule if no source sets one.
      const set = rule.names.filter((name) => isSetBySource(resolution, name));
      if (set.length > 1) return { kind: "several-set", rule, set };
      return findUsedVariable(rule.names, resolution) === undefined ? { kind: "none-set", rule } : undefined;
    }
    case "all-or-none": {
      // A default alone does not require the other variables. But once a source sets one, defaults help to complete the
      // group.
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

/**
 * Checks the value of one variable. A variable without a value is valid here: the rules decide whether it must have
 * one.
 */
function checkValue(
  declaration: Declaration,
  resolution: Resolution,
  formatFault: FormatCheck,
): ValueViolation | undefined {
  const { name, format } = declaration;
  const resolved = resolution.get(name);
  if (resolved === undefined || resolved.value === "") return undefined;
  // If sophia-run writes the value to a file (`delivery`), the value is the content of the file; otherwise it may be
  // the path of a file that exists. The declared format is that of the content with `"as": "file"`, and that of the
  // path without. A content cannot be checked by the format of a path, nor a path by that of a content.
  const isContent = resolved.delivery === "file";
  const hasFormatOfContent = declaration.as === "file";
  if (isContent !== hasFormatOfContent) return undefined;
  const { source } = resolved.origin;
  // Defaults and dummy values may look like placeholders.
  if (source !== "contract" && source !== "fake" && isPlaceholder(declaration, resolved.value)) {
    return { kind: "placeholder", name };
  }
  // For `.env` files, `reference` was set when the file was read. In the process environment a shell has replaced `$X`
  // already.
  const form = resolved.reference ?? (source === "environment" ? referencePrefixOf(resolved.value) : undefined);
  if (form !== undefined && isOnlyReference(form) && !isDeclaredReference(form, format)) {
    return { kind: "reference", name, form };
  }
  const fault = format === undefined ? undefined : formatFault(format, resolved.value, name);
  return fault === undefined ? undefined : { kind: "malformed", name, fault };
}

/** Returns true if the contract expects a reference of this form, so that the program resolves the reference itself. */
function isDeclaredReference(form: ReferenceForm, format: ValueFormat | undefined): boolean {
  if (format?.kind !== "text") return false;
  // A prefix or the pattern must contain the beginning of the form. This is `$` for references of shells (`$X`,
  // `$(…)`), and the first three characters for others (`op:`).
  const isOfShell = form.includes("…") || form.includes("X");
  const beginning = form.slice(0, isOfShell ? 1 : 3);
  const formatTexts = [...format.prefixes, format.pattern?.source ?? ""];
  return formatTexts.some((text) => text.includes(beginning));
}
