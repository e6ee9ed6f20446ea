/**
 * Checks the rules for one variable of a contract that the JSON Schema of contracts cannot express, such as that a
 * default has the declared format. meaning.ts calls this for each variable, and for the list of variables of each
 * group.
 */
import type { didYouMean } from "../../core/suggest.ts";
import { formatFault } from "../format.ts";
import type { FormatEntry, VariableEntry } from "../generated/document.ts";
import type { PatternWork } from "../contract-model.ts";
import { compilePattern } from "../pattern/pattern.ts";
import { alternatives, faultWords } from "../contract-words.ts";
import type { BrokerExaminer } from "./broker-meaning.ts";
import { compileFormat, isSecretEntry, listOf } from "./compile.ts";
import type { defaultFault } from "./default-meaning.ts";
import type { DocumentPath } from "./positions.ts";
import { examineProbe } from "./probe-meaning.ts";

/**
 * Reports an issue at a path.
 *
 * @param position the part of the member at the path that the user must correct; by default its value
 */
export type ReportIssue = (path: DocumentPath, message: string, allowed: string, position?: "key" | "value") => void;

export type DefaultExaminer = typeof defaultFault;

/** Checks whose code load-file.ts imports only for documents that need it. For other documents they return no fault. */
export interface Examiners {
  readonly examineDefault: DefaultExaminer;
  readonly examineBrokers: BrokerExaminer;
}

/** The state that the checks of all variables share. */
export interface ExaminationContext extends Examiners {
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
export function examineVariable(
  path: () => DocumentPath,
  name: string,
  ownEntry: VariableEntry,
  entry: VariableEntry,
  context: ExaminationContext,
): void {
  const { report } = context;
  const pathOf: MemberPath = (key) => (Object.hasOwn(ownEntry, key) ? [...path(), key] : path());
  if (ownEntry.reason !== undefined && isSecretEntry(entry)) {
    report(pathOf("reason"), "a secret has a reason why it is public", `no reason, or "secret": false`);
  }
  if (entry.default !== undefined) examineDefaultOf(pathOf, name, entry, entry.default, context);
  if (entry.as === "file" && entry.broker !== undefined && entry.broker !== false) {
    report(pathOf("broker"), "the broker cannot send a key that the program gets as a file", `no "broker", or no "as"`);
  }
  if (entry.format !== undefined) examineFormatOf(pathOf, name, entry, entry.format, context);
  if (typeof entry.required === "object") examineCondition(pathOf, name, entry.required, context);
  if (typeof entry.probe === "object") {
    for (const issue of examineProbe(name, entry.probe, (other) => context.variables.has(other))) {
      report([...pathOf("probe"), ...issue.path], issue.message, issue.allowed);
    }
  }
  if (entry.deprecated !== undefined) examineReplacement(pathOf, name, entry.deprecated, context);
}

/** Returns the path of a member of the entry; the path of the entry itself if the member is inherited. */
type MemberPath = (key: keyof VariableEntry) => DocumentPath;

function examineDefaultOf(
  pathOf: MemberPath,
  name: string,
  entry: VariableEntry,
  value: string,
  { report, examineDefault }: ExaminationContext,
): void {
  if (isSecretEntry(entry)) report(pathOf("default"), "a secret has a default", `no default, or "secret": false`);
  // With `"as": "file"` the program gets the path of a file. Some variables are dangerous with any path.
  const deliveredValue = entry.as === "file" ? "./file" : value;
  const danger = examineDefault(name, deliveredValue);
  if (danger === undefined) return;
  report(pathOf("default"), `a default of ${name} ${danger}`, "no default: the environment or ESC sets it");
}

/** Checks that the format is valid, and then that the default has it. */
function examineFormatOf(
  pathOf: MemberPath,
  name: string,
  { default: value }: VariableEntry,
  format: FormatEntry,
  context: ExaminationContext,
): void {
  if (!examineFormat(pathOf("format"), format, context) || value === undefined) return;
  const fault = formatFault(compileFormat(format), value, name, context.work);
  if (fault === undefined) return;
  context.report(pathOf("default"), "the default does not have the format", `it ${faultWords(fault)}`);
}

/** Checks a condition: `"required": { "when": "NAME", "equals": "value" }`. */
function examineCondition(
  pathOf: MemberPath,
  name: string,
  { when, equals }: Extract<VariableEntry["required"], object>,
  context: ExaminationContext,
): void {
  const whenPath = (): DocumentPath => [...pathOf("required"), "when"];
  if (when === name) context.report(whenPath(), "a variable cannot be its own condition", "another variable");
  else examineReference(whenPath, when, context);
  examineConditionValues([...pathOf("required"), "equals"], when, listOf(equals), context);
}

/** Checks the variable that replaces a deprecated one. */
function examineReplacement(pathOf: MemberPath, name: string, replacement: string, context: ExaminationContext): void {
  const path = (): DocumentPath => pathOf("deprecated");
  if (replacement === name) context.report(path(), "a variable cannot replace itself", "another variable");
  else if (
    examineReference(path, replacement, context) &&
    context.variables.get(replacement)?.deprecated !== undefined
  ) {
    context.report(path(), `${replacement} is itself deprecated`, "a variable that is not deprecated");
  }
}

/** Checks the values of a condition. @param name the variable on which the condition depends */
function examineConditionValues(
  path: DocumentPath,
  name: string,
  values: readonly string[],
  { variables, report }: ExaminationContext,
): void {
  const entry = variables.get(name);
  if (entry === undefined || values.length === 0) return;
  if (isSecretEntry(entry)) {
    report(path, `${name} is a secret, whose value a contract must not contain`, `"secret": false for ${name}`);
  }
  const { format } = entry;
  const possibleValues = typeof format === "object" && format.type === "enum" ? format.values : values;
  if (values.some((value) => !possibleValues.includes(value))) {
    report(path, `${name} never has this value`, alternatives(possibleValues));
  }
}

/** Reports the issues of a format. @returns true if there are none, so that values can be checked by the format */
function examineFormat(path: DocumentPath, entry: FormatEntry, { report }: ExaminationContext): boolean {
  if (typeof entry === "string") return true;
  if (entry.type === "integer" || entry.type === "number") return examineRange(path, entry, report);
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

function examineRange(
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
function examineReference(
  path: () => DocumentPath,
  name: string,
  { variables, report, suggestName }: ExaminationContext,
): boolean {
  if (variables.has(name)) return true;
  const message = `this name is not declared${suggestName(name, variables.keys())}`;
  report(path(), message, `a name declared under "variables"`);
  return false;
}

/** Checks that all variables of a group are declared. @param path returns the path of the group's list of variables */
export function examineMembers(path: () => DocumentPath, names: readonly string[], context: ExaminationContext): void {
  names.forEach((name, index) => {
    examineReference(() => [...path(), index], name, context);
  });
}
