/** Checks one variable, and the members of a group, beyond the schema; pure. */
import type { didYouMean } from "../../core/suggest.ts";
import { formatFault } from "../format.ts";
import type { FormatEntry, VariableEntry } from "../generated/document.ts";
import type { PatternWork } from "../contract-model.ts";
import { compilePattern } from "../pattern/pattern.ts";
import { alternatives, faultWords } from "../contract-words.ts";
import type { BrokerExaminer } from "./broker-meaning.ts";
import { formatOf, isSecret, listOf } from "./compile.ts";
import type { defaultFault } from "./default-meaning.ts";
import type { Path } from "./positions.ts";
import { examineProbe } from "./probe-meaning.ts";

export type Report = (path: Path, message: string, allowed: string, atKey?: boolean) => void;

export type DefaultExaminer = typeof defaultFault;

export interface Tools {
  readonly examineDefault: DefaultExaminer;
  readonly examineBrokers: BrokerExaminer;
}

/** The variables of one profile, or of none, for the check of references. */
export interface Scope extends Tools {
  readonly variables: ReadonlyMap<string, VariableEntry>;
  readonly work: PatternWork;
  readonly guess: typeof didYouMean;
  readonly report: Report;
}

/** Checks the entry `given` of the document; `entry` is the same, or merged if it belongs to a profile. */
export function examineVariable(
  path: () => Path,
  name: string,
  given: VariableEntry,
  entry: VariableEntry,
  scope: Scope,
): void {
  const { variables, report, work } = scope;
  const { required, deprecated, default: fallback, format } = entry;
  const at = (key: keyof VariableEntry): Path => (Object.hasOwn(given, key) ? [...path(), key] : path());
  if (given.reason !== undefined && isSecret(entry)) {
    report(at("reason"), "a secret has a reason why it is public", `no reason, or "secret": false`);
  }
  if (fallback !== undefined && isSecret(entry)) {
    report(at("default"), "a secret has a default", `no default, or "secret": false`);
  }
  // The program gets the path of a file, which is never one of the harmless values.
  const passed = entry.as === "file" ? "./file" : (fallback ?? "");
  const danger = fallback === undefined ? undefined : scope.examineDefault(name, passed);
  if (danger !== undefined) {
    report(at("default"), `a default of ${name} ${danger}`, "no default: the environment or ESC sets it");
  }
  if (entry.as === "file" && entry.broker !== undefined && entry.broker !== false) {
    report(at("broker"), "the broker cannot send a key that the program gets as a file", `no "broker", or no "as"`);
  }
  if (format !== undefined && examineFormat(at("format"), format, scope) && fallback !== undefined) {
    const fault = formatFault(formatOf(format), fallback, name, work);
    if (fault !== undefined) report(at("default"), "the default does not have the format", `it ${faultWords(fault)}`);
  }
  if (typeof required === "object") {
    const where = (): Path => [...at("required"), "when"];
    if (required.when === name) report(where(), "a variable cannot be its own condition", "another variable");
    else examineReference(where, required.when, scope);
    examineCondition([...at("required"), "equals"], required.when, listOf(required.equals), scope);
  }
  if (typeof entry.probe === "object") {
    for (const problem of examineProbe(name, entry.probe, (other) => variables.has(other))) {
      report([...at("probe"), ...problem.path], problem.message, problem.allowed);
    }
  }
  if (deprecated === undefined) return;
  if (deprecated === name) report(at("deprecated"), "a variable cannot replace itself", "another variable");
  else if (
    examineReference(() => at("deprecated"), deprecated, scope) &&
    variables.get(deprecated)?.deprecated !== undefined
  ) {
    report(at("deprecated"), `${deprecated} is itself deprecated`, "a variable that is not deprecated");
  }
}

function examineCondition(path: Path, name: string, values: readonly string[], { variables, report }: Scope): void {
  const other = variables.get(name);
  if (other === undefined || values.length === 0) return;
  if (isSecret(other)) {
    report(path, `${name} is a secret, whose value a contract must not contain`, `"secret": false for ${name}`);
  }
  const { format } = other;
  const known = typeof format === "object" && format.type === "enum" ? format.values : values;
  if (values.some((value) => !known.includes(value))) {
    report(path, `${name} never has this value`, alternatives(known));
  }
}

function examineFormat(path: Path, entry: FormatEntry, { report }: Scope): boolean {
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
  path: Path,
  range: Extract<FormatEntry, { type: "integer" | "number" }>,
  report: Report,
): boolean {
  const { type, minimum = -Infinity, maximum = Infinity } = range;
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

function examineReference(path: () => Path, name: string, { variables, report, guess }: Scope): boolean {
  if (variables.has(name)) return true;
  const message = `this name is not declared${guess(name, variables.keys())}`;
  report(path(), message, `a name declared under "variables"`);
  return false;
}

export function examineMembers(path: () => Path, names: readonly string[], scope: Scope): void {
  names.forEach((name, index) => {
    if (!scope.variables.has(name)) examineReference(() => [...path(), index], name, scope);
  });
}
