/**
 * Checks the rules for one variable of a contract that the JSON Schema of contracts cannot express.
 * validate-document.ts calls this for each variable, and for the list of variables of each group. The default of this
 * variable does not have its format:
 *
 *     "PORT": { "format": "port", "default": "http" }
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
 * @param createPath returns the path of the entry. It is a function, because most entries have no issue and need no path
 * @param writtenEntry the entry as the document has it at the path
 * @param mergedEntry the entry with the members that a profile inherits; outside of profiles the same as
 *   `writtenEntry`
 */
export function validateVariable(
  createPath: () => DocumentPath,
  name: string,
  writtenEntry: VariableEntry,
  mergedEntry: VariableEntry,
  context: ValidationContext,
): void {
  const { report } = context;
  const pathOf: MemberPath = (key) => (Object.hasOwn(writtenEntry, key) ? [...createPath(), key] : createPath());
  const { as, broker, default: defaultValue, deprecated, format, probe, required } = mergedEntry;
  if (writtenEntry.reason !== undefined && isSecretEntry(mergedEntry)) {
    report(pathOf("reason"), "a secret has a reason why it is public", `no reason, or "secret": false`);
  }
  if (defaultValue !== undefined) validateDefault(pathOf, name, mergedEntry, defaultValue, context);
  if (as === "file" && broker !== undefined && broker !== false) {
    report(pathOf("broker"), "the broker cannot send a key that the program gets as a file", `no "broker", or no "as"`);
  }
  if (format !== undefined) validateFormatAndDefault(pathOf, name, defaultValue, format, context);
  if (typeof required === "object") validateCondition(pathOf, name, required, context);
  if (typeof probe === "object") {
    for (const issue of findProbeIssues(name, probe, (other) => context.variables.has(other))) {
      report([...pathOf("probe"), ...issue.path], issue.message, issue.allowed);
    }
  }
  if (deprecated !== undefined) validateReplacement(pathOf, name, deprecated, context);
}

/** Returns the path of a member of the entry; the path of the entry itself if the member is inherited. */
type MemberPath = (key: keyof VariableEntry) => DocumentPath;

function validateDefault(
  pathOf: MemberPath,
  name: string,
  entry: VariableEntry,
  defaultValue: string,
  { report, findDefaultDanger }: ValidationContext,
): void {
  if (isSecretEntry(entry)) report(pathOf("default"), "a secret has a default", `no default, or "secret": false`);
  // With `"as": "file"` the program gets the path of a file. Some variables are dangerous with any path.
  const deliveredValue = entry.as === "file" ? "./file" : defaultValue;
  const danger = findDefaultDanger(name, deliveredValue);
  if (danger === undefined) return;
  report(pathOf("default"), `a default of ${name} ${danger}`, "no default: the environment or ESC sets it");
}

/** Checks that the format is valid, and then that the default has it. */
function validateFormatAndDefault(
  pathOf: MemberPath,
  name: string,
  defaultValue: string | undefined,
  format: FormatEntry,
  context: ValidationContext,
): void {
  if (!validateFormat(pathOf("format"), format, context) || defaultValue === undefined) return;
  const fault = findFormatFault(compileFormat(format), defaultValue, name, context.work);
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
  const createWhenPath = (): DocumentPath => [...pathOf("required"), "when"];
  if (when === name) context.report(createWhenPath(), "a variable cannot be its own condition", "another variable");
  else validateReference(createWhenPath, when, context);
  validateConditionValues([...pathOf("required"), "equals"], when, toList(equals), context);
}

/** Checks the variable that replaces a deprecated one. */
function validateReplacement(pathOf: MemberPath, name: string, replacement: string, context: ValidationContext): void {
  const createPath = (): DocumentPath => pathOf("deprecated");
  if (replacement === name) {
    context.report(createPath(), "a variable cannot replace itself", "another variable");
    return;
  }
  const isDeclared = validateReference(createPath, replacement, context);
  if (!isDeclared || context.variables.get(replacement)?.deprecated === undefined) return;
  context.report(createPath(), `${replacement} is itself deprecated`, "a variable that is not deprecated");
}

/** Checks that the variable on which a condition depends can have the values of the condition. */
function validateConditionValues(
  path: DocumentPath,
  conditionVariable: string,
  values: readonly string[],
  { variables, report }: ValidationContext,
): void {
  const entry = variables.get(conditionVariable);
  if (entry === undefined || values.length === 0) return;
  if (isSecretEntry(entry)) {
    const message = `${conditionVariable} is a secret, whose value a contract must not contain`;
    report(path, message, `"secret": false for ${conditionVariable}`);
  }
  const { format } = entry;
  const possibleValues = typeof format === "object" && format.type === "enum" ? format.values : values;
  if (values.some((value) => !possibleValues.includes(value))) {
    report(path, `${conditionVariable} never has this value`, joinAlternatives(possibleValues));
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
  createPath: () => DocumentPath,
  name: string,
  { variables, report, suggestName }: ValidationContext,
): boolean {
  if (variables.has(name)) return true;
  const message = `this name is not declared${suggestName(name, variables.keys())}`;
  report(createPath(), message, `a name declared under "variables"`);
  return false;
}

/** Checks that all variables of a group are declared. @param createPath returns the path of the group's `variables` */
export function validateGroupMembers(
  createPath: () => DocumentPath,
  names: readonly string[],
  context: ValidationContext,
): void {
  names.forEach((name, index) => {
    validateReference(() => [...createPath(), index], name, context);
  });
}
