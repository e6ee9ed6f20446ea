/**
 * Checks the rules for one variable of a contract that the JSON Schema of contracts cannot express, such as that a
 * default has the declared format. validate-document.ts calls this for each variable, and for the list of variables of each
 * group.
 */
import type { didYouMean } from "../../core/suggest.ts";
import { findFormatFault } from "../format.ts";
import type { FormatEntry, VariableEntry } from "../generated/document.ts";
import type { PatternWork } from "../contract-model.ts";
import { compilePattern } from "../pattern/pattern.ts";
import { joinAlternatives, describeFormatFault } from "../contract-words.ts";
import type { BrokerCheck } from "./validate-brokers.ts";
import { compileFormat, isSecretEntry, toList } from "./compile.ts";
import type { findDefaultDanger } from "./dangerous-default.ts";
import type { DocumentPath } from "./positions.ts";
import { findProbeIssues } from "./validate-probe.ts";

/**
 * Reports an issue at a path.
 *
 * @param position the part of the member at the path that the user must correct; by default its value
 */
export type ReportIssue = (path: DocumentPath, message: string, allowed: string, position?: "key" | "value") => void;

export type DefaultCheck = typeof findDefaultDanger;

/** Checks whose code load-file.ts imports only for documents that need it. For other documents they return no fault. */
export interface ImportedChecks {
  readonly findDefaultDanger: DefaultCheck;
  readonly findBrokerIssues: BrokerCheck;
}

/** The state that the checks of all variables share. */
export interface ValidationContext extends ImportedChecks {
  /** The variables of one profile with those that it inherits, or of the contract without a profile. */
  readonly variables: ReadonlyMap<string, VariableEntry>;
  /** Counts the steps of all patterns of the document together, which have one limit. */
  readonly work: PatternWork;
  /** Returns a question such as `did you mean X?` for a message, or an empty text. */
  readonly suggestName: typeof didYouMean;
  readonly report: ReportIssue;
}

/**
 * Checks one variable.
 *
 * @param path returns the path of the entry. It is a function, because most entries have no issue and need no path
 * @param ownEntry the entry as the document has it at the path
 * @param entry the entry with the members that a profile inherits; outside of profiles the same as `ownEntry`
 */
export function validateVariable(
  path: () => DocumentPath,
  name: string,
  ownEntry: VariableEntry,
  entry: VariableEntry,
  context: ValidationContext,
): void {
  const { report } = context;
  const pathOf: MemberPath = (key) => (Object.hasOwn(ownEntry, key) ? [...path(), key] : path());
  if (ownEntry.reason !== undefined && isSecretEntry(entry)) {
    report(pathOf("reason"), "a secret has a reason why it is public", `no reason, or "secret": false`);
  }
  if (entry.default !== undefined) validateDefault(pathOf, name, entry, entry.default, context);
  if (entry.as === "file" && entry.broker !== undefined && entry.broker !== false) {
    report(pathOf("broker"), "the broker cannot send a key that the program gets as a file", `no "broker", or no "as"`);
  }
  if (entry.format !== undefined) validateFormatAndDefault(pathOf, name, entry, entry.format, context);
  if (typeof entry.required === "object") validateCondition(pathOf, name, entry.required, context);
  if (typeof entry.probe === "object") {
    for (const issue of findProbeIssues(name, entry.probe, (other) => context.variables.has(other))) {
      report([...pathOf("probe"), ...issue.path], issue.message, issue.allowed);
    }
  }
  if (entry.deprecated !== undefined) validateReplacement(pathOf, name, entry.deprecated, context);
}

/** Returns the path of a member of the entry; the path of the entry itself if the member is inherited. */
type MemberPath = (key: keyof VariableEntry) => DocumentPath;

function validateDefault(
  pathOf: MemberPath,
  name: string,
  entry: VariableEntry,
  value: string,
  { report, findDefaultDanger }: ValidationContext,
): void {
  if (isSecretEntry(entry)) report(pathOf("default"), "a secret has a default", `no default, or "secret": false`);
  // With `"as": "file"` the program gets the path of a file. Some variables are dangerous with any path.
  const deliveredValue = entry.as === "file" ? "./file" : value;
  const danger = findDefaultDanger(name, deliveredValue);
  if (danger === undefined) return;
  report(pathOf("default"), `a default of ${name} ${danger}`, "no default: the environment or ESC sets it");
}

/** Checks that the format is valid, and then that the default has it. */
function validateFormatAndDefault(
  pathOf: MemberPath,
  name: string,
  { default: value }: VariableEntry,
  format: FormatEntry,
  context: ValidationContext,
): void {
  if (!validateFormat(pathOf("format"), format, context) || value === undefined) return;
  const fault = findFormatFault(compileFormat(format), value, name, context.work);
  if (fault === undefined) return;
  context.report(pathOf("default"), "the default does not have the format", `it ${describeFormatFault(fault)}`);
}

/** Checks a condition: `"required": { "when": "NAME", "equals": "value" }`. */
function validateCondition(
  pathOf: MemberPath,
  name: string,
  { when, equals }: Extract<VariableEntry["required"], object>,
  context: ValidationContext,
): void {
  const whenPath = (): DocumentPath => [...pathOf("required"), "when"];
  if (when === name) context.report(whenPath(), "a variable cannot be its own condition", "another variable");
  else validateReference(whenPath, when, context);
  validateConditionValues([...pathOf("required"), "equals"], when, toList(equals), context);
}

/** Checks the variable that replaces a deprecated one. */
function validateReplacement(pathOf: MemberPath, name: string, replacement: string, context: ValidationContext): void {
  const path = (): DocumentPath => pathOf("deprecated");
  if (replacement === name) context.report(path(), "a variable cannot replace itself", "another variable");
  else if (
    validateReference(path, replacement, context) &&
    context.variables.get(replacement)?.deprecated !== undefined
  ) {
    context.report(path(), `${replacement} is itself deprecated`, "a variable that is not deprecated");
  }
}

/** Checks the values of a condition. @param name the variable on which the condition depends */
function validateConditionValues(
  path: DocumentPath,
  name: string,
  values: readonly string[],
  { variables, report }: ValidationContext,
): void {
  const entry = variables.get(name);
  if (entry === undefined || values.length === 0) return;
  if (isSecretEntry(entry)) {
    report(path, `${name} is a secret, whose value a contract must not contain`, `"secret": false for ${name}`);
  }
  const { format } = entry;
  const possibleValues = typeof format === "object" && format.type === "enum" ? format.values : values;
  if (values.some((value) => !possibleValues.includes(value))) {
    report(path, `${name} never has this value`, joinAlternatives(possibleValues));
  }
}

/** Reports the issues of a format. @returns true if there are none, so that values can be checked by the format */
function validateFormat(path: DocumentPath, entry: FormatEntry, { report }: ValidationContext): boolean {
  if (typeof entry === "string") return true;
  if (entry.type === "integer" || entry.type === "number") return validateRange(path, entry, report);
  if (entry.type !== "text" || entry.pattern === undefined) return true;
  try {
    compilePattern(entry.pattern);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    report(
      [...path, "pattern"],
      `the pattern ${error.message}`,
      "characters, escapes, classes, groups, alternatives and repetitions; no look-around and no back-references",
    );
    return false;
  }
}

function validateRange(
  path: DocumentPath,
  range: Extract<FormatEntry, { type: "integer" | "number" }>,
  report: ReportIssue,
): boolean {
  const { type, minimum = -Infinity, maximum = Infinity } = range;
  // JSON.parse returns Infinity for a number such as 1e999.
  if (minimum === Infinity || maximum === -Infinity) {
    report(path, "the range contains no finite number", "finite numbers");
  } else if (minimum > maximum) {
    report([...path, "minimum"], "the minimum is greater than the maximum", `at most ${maximum}`);
  } else if (type === "integer" && Math.ceil(minimum) > Math.floor(maximum)) {
    report(path, "the range contains no whole number", "a wider range");
  } else {
    return true;
  }
  return false;
}

/** Reports a name that is not declared. @returns true if the name is declared */
function validateReference(
  path: () => DocumentPath,
  name: string,
  { variables, report, suggestName }: ValidationContext,
): boolean {
  if (variables.has(name)) return true;
  const message = `this name is not declared${suggestName(name, variables.keys())}`;
  report(path(), message, `a name declared under "variables"`);
  return false;
}

/** Checks that all variables of a group are declared. @param path returns the path of the group's list of variables */
export function validateGroupMembers(
  path: () => DocumentPath,
  names: readonly string[],
  context: ValidationContext,
): void {
  names.forEach((name, index) => {
    validateReference(() => [...path(), index], name, context);
  });
}
