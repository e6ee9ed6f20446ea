import type { Resolution } from "../core/model.ts";
import { isCertain, schemeOf, type ReferenceForm } from "../core/reference-forms.ts";
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

/** Matches a character that makes a value count as set. */
export const VISIBLE = /[^\s\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF]/;

/** Returns every violation, in the contract's order. @throws SophiaError (contract-slow, 125) */
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
  const first = value.charCodeAt(0);
  // Fast path: all other characters of ASCII are visible.
  return !(first > 0x20 && first < 0x7f) && !VISIBLE.test(value);
}

/** Returns the variable of a group that is used: the first that is set. */
export function serving(names: readonly string[], resolution: Resolution): string | undefined {
  return names.find((name) => isSet(resolution, name));
}

/** Returns the declaration of a variable, also by an alias. */
export function declarationOf({ aliases, variables }: Contract, name: string): Declaration | undefined {
  return variables.get(aliases.get(name) ?? name);
}

/** Returns the names under which a program may read a variable: its own, and its aliases. */
export function namesOfDeclaration({ name, aliases }: Declaration): readonly string[] {
  return [name, ...aliases.map((alias) => alias.name)];
}

export function isDeclared(contract: Contract, name: string): boolean {
  return contract.variables.has(name) || contract.aliases.has(name);
}

/** Returns the variables that a violation is about: those of its rule, or the one whose value is wrong. */
export function namesOfViolation(violation: Violation): readonly string[] {
  if ("name" in violation) return [violation.name];
  return "rule" in violation ? violation.rule.names : [];
}

/** Returns the violation of one rule; the formats of values are not checked. */
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
      return serving(rule.names, resolution) === undefined ? { kind: "none-set", rule } : undefined;
    case "exactly-one": {
      // A default does not conflict with a chosen variable.
      const set = rule.names.filter((name) => isChosen(resolution, name));
      if (set.length > 1) return { kind: "several-set", rule, set };
      return serving(rule.names, resolution) === undefined ? { kind: "none-set", rule } : undefined;
    }
    case "all-or-none": {
      // A default alone does not require the others, but completes the group.
      const set = rule.names.filter((name) => isChosen(resolution, name));
      const missing = set.length === 0 ? [] : rule.names.filter((name) => !isSet(resolution, name));
      return missing.length === 0 ? undefined : { kind: "some-missing", rule, set, missing };
    }
  }
}

function isMet({ name, equals }: Condition, resolution: Resolution): boolean {
  const { value = "" } = resolution.get(name) ?? {};
  return value !== "" && (equals === undefined || equals.includes(value));
}

function isChosen(resolution: Resolution, name: string): boolean {
  return isSet(resolution, name) && resolution.get(name)?.origin.source !== "contract";
}

function checkValue(
  declaration: Declaration,
  resolution: Resolution,
  formatFault: FormatCheck,
): ValueViolation | undefined {
  const { name, format } = declaration;
  const resolved = resolution.get(name);
  if (resolved === undefined || resolved.value === "") return undefined;
  // Without "as" the declaration is about the path that the program gets, and the file does not exist yet; with it, about the
  // content of a file, of which the value may be the path.
  if ((resolved.delivery === "file") !== (declaration.as === "file")) return undefined;
  const { source } = resolved.origin;
  if (source !== "contract" && source !== "fake" && isPlaceholder(declaration, resolved.value)) {
    return { kind: "placeholder", name };
  }
  const form = resolved.reference ?? (source === "environment" ? schemeOf(resolved.value) : undefined);
  if (form !== undefined && isCertain(form) && !isDeclaredReference(form, format))
    return { kind: "reference", name, form };
  const fault = format === undefined ? undefined : formatFault(format, resolved.value, name);
  return fault === undefined ? undefined : { kind: "malformed", name, fault };
}

/** Returns true if the prefixes or the pattern of a format name the form: the program resolves the reference itself. */
function isDeclaredReference(form: ReferenceForm, format: ValueFormat | undefined): boolean {
  if (format?.kind !== "text") return false;
  const part = form.slice(0, form.includes("…") || form.includes("X") ? 1 : 3);
  return [...format.prefixes, format.pattern?.source ?? ""].some((one) => one.includes(part));
}
