/**
 * Creates the report of a start: the data from which `sophia-run check` prints its text and its JSON, and the GitHub Action its summary.
 * All secrets in it are masked.
 */
import { basename, dirname } from "node:path";
import { hasNoContract, judgedValues, type Start } from "../resolve/start.ts";
import { isSet, findUsedVariable } from "../contract/check-contract.ts";
import { describeVariableCredential } from "../contract/looks-secret.ts";
import { isAboutWrongValue, reportViolation, type ViolationReport, describeViolationsOf } from "./violations.ts";
import { reportEsc, type EscReport, mask } from "./esc-report.ts";
import { isHidden, findPublicCredentials, type PublicCredential } from "../resolve/secret-values.ts";
import { createEmptyValueDescriber } from "./unset-values.ts";
import { createWithholdingDescriber } from "./withheld-words.ts";
import { describeNotice } from "./notice-words.ts";
import type { Origin, ResolvedVariable, SourceId } from "../core/model.ts";
import type { Contract, Declaration, SectionLine, Violation } from "../contract/contract-model.ts";
import type { Line } from "../core/lines.ts";
import { printable } from "../core/text.ts";
import { UNSEEN } from "../esc/api/evaluate.ts";
import { PRECEDENCE } from "../resolve/precedence.ts";

/** The report of a start. It has no secrets, only the last characters of long ones. */
export interface Report {
  /** True if the values meet the contract. */
  readonly met: boolean;
  /** True if the project has no contract, and does not use the built-in one. The report then has no variables. */
  readonly isAbsent: boolean;
  readonly contract: ContractReport;
  readonly esc: EscReport;
  /** True if all variables may be unset. */
  readonly nothingRequired: boolean;
  readonly sections: readonly SectionReport[];
  readonly variables: readonly VariableReport[];
  /** The sources of these variables, the highest precedence first. */
  readonly sources: readonly SourceId[];
  /** The variables for which the environment overrides a different value of ESC. */
  readonly overridden: readonly string[];
  readonly violations: readonly ViolationReport[];
  readonly notices: readonly string[];
  /** The variables that are declared as not secret, although their values hold credentials. */
  readonly credentials: readonly PublicCredential[];
}

/** The contract of a report, and the part of it that is used. */
export interface ContractReport {
  /** `built-in`, or the path of the file. */
  readonly source: string;
  /** The project's name; undefined for the built-in contract, and for a project in the root folder. */
  readonly project: string | undefined;
  readonly profile: string | undefined;
  readonly scope: string | undefined;
}

/** `unset`: not set and not required; `missing`: not set but required; `invalid`: set, but breaks a rule. */
export type State = "set" | "unset" | "missing" | "invalid";

/** A section of the contract. */
interface SectionReport {
  readonly title: string;
  readonly lines: readonly LineReport[];
}

/** A line of a section: a variable, or a group with the variable that is used. */
export interface LineReport {
  readonly label: string;
  readonly state: State;
  readonly name: string | undefined;
  readonly origin: Origin | undefined;
  /** The masked end of a secret, or the value of a variable that is declared as not secret. It is not in JSON. */
  readonly shown: string | undefined;
  /** Describes why the program does not get the variable, although a source sets it. */
  readonly withheld: string | undefined;
  /** Describes the source that sets the variable to an empty value. It is not in JSON. */
  readonly empty: string | undefined;
}

/** A declared variable, for JSON. */
interface VariableReport {
  readonly name: string;
  readonly label: string;
  readonly secret: boolean;
  readonly state: State;
  readonly origin: Origin | undefined;
  readonly shadows: readonly Origin[];
}

/**
 * Removes the variables and rules of the built-in contract from a start to which it does not apply. Any other start is returned as
 * it is.
 */
export function removeUnrelatedContract(start: Start): Start {
  if (!hasNoContract(start)) return start;
  const { contract } = start.files;
  const noRules = { variables: new Map(), aliases: new Map(), deprecated: new Map(), rules: [], sections: [] };
  return { ...start, files: { ...start.files, contract: { ...contract, ...noRules } } };
}

/** Creates the report of a start. All values in it are masked here. */
export function createReport(originalStart: Start): Report {
  const start = removeUnrelatedContract(originalStart);
  const { contract } = start.files;
  const { notices, violations: foundViolations } = start.verdict;
  const violations = describeViolationsOf(foundViolations, start).map(reportViolation);
  const findState = createStateFinder(start);
  const variables = Array.from(contract.variables.values(), (declaration) =>
    reportVariable(declaration, start, findState),
  );
  const reportLine = createLineReporter(start, findState);
  const sources = new Set(variables.map(({ origin }) => origin?.source));
  const isAbsent = hasNoContract(start);
  return {
    met: violations.length === 0,
    isAbsent,
    contract: reportContract(contract),
    // A project may have a contract of its own and not use ESC. The built-in contract is for ESC.
    esc: reportEsc(start, contract.source.kind === "built-in" && foundViolations.some(isAboutMissing)),
    nothingRequired: !isAbsent && contract.rules.every(({ kind }) => kind === "optional"),
    sections: contract.sections.map(({ title, lines }) => ({ title, lines: lines.map(reportLine) })),
    variables,
    sources: PRECEDENCE.esc.filter((source) => sources.has(source)),
    overridden: notices.flatMap((notice) => (notice.kind === "shadowed" ? notice.names : [])),
    violations,
    notices: notices.map((notice) => describeNotice(notice)[0]),
    credentials: findPublicCredentials(start),
  };
}

/** Finds the state of a variable, or of a group whose rule is broken. */
type StateFinder = (name: string | undefined, group?: string) => State;

function reportVariable(
  { name, label, secret: isDeclaredSecret }: Declaration,
  start: Start,
  findState: StateFinder,
): VariableReport {
  const { selected } = judgedValues(start);
  const resolved = isSet(selected, name) ? selected.get(name) : undefined;
  const secret = isDeclaredSecret || (resolved !== undefined && isHidden(start.files.contract, resolved));
  const shadows = resolved?.shadowed?.map((layer) => layer.origin) ?? [];
  return { name, label, secret, state: findState(name), origin: resolved?.origin, shadows };
}

/** Returns a function that reports a line of a section. */
function createLineReporter(start: Start, findState: StateFinder): (line: SectionLine) => LineReport {
  const values = judgedValues(start);
  const describeWithholding = createWithholdingDescriber({ ...start, values });
  const describeEmptyValue = createEmptyValueDescriber({ values });
  return (line) => {
    const names = line.kind === "group" ? line.names : [line.name];
    const usedName = findUsedVariable(names, values.selected);
    const resolved = usedName === undefined ? undefined : values.selected.get(usedName);
    // A group without a value has the description of its first variable that has one.
    const describeFirst = (describe: (unsetName: string) => string | undefined): string | undefined =>
      usedName === undefined ? names.map(describe).find((description) => description !== undefined) : undefined;
    return {
      label: line.label,
      state: line.kind === "group" ? findState(usedName, line.group) : findState(line.name),
      name: resolved?.name,
      origin: resolved?.origin,
      shown: resolved && showValue(resolved, start.files.contract),
      withheld: describeFirst(describeWithholding),
      empty: describeFirst(describeEmptyValue),
    };
  };
}

/** The limit on the characters of a value in the report. */
const MAX_SHOWN_LENGTH = 60;

/**
 * Returns a value as the report shows it. It is masked unless the contract declares it as not secret, ESC does not mark it as
 * secret, the program does not get it as a file, and it holds no credential.
 */
function showValue({ name, value, secret, origin, delivery }: ResolvedVariable, contract: Contract): string {
  const isSecret = contract.variables.get(name)?.secret !== false || (origin.source === "esc" && secret);
  if (value === UNSEEN) return "***";
  if (isSecret || delivery === "file" || describeVariableCredential(contract, name, value) !== undefined)
    return mask(value);
  const characters = Array.from(value);
  return printable(characters.length > MAX_SHOWN_LENGTH ? `${characters.slice(0, MAX_SHOWN_LENGTH).join("")}…` : value);
}

/** Returns the contract as reports show it. */
export function reportContract({ source, name, profile, scope }: Contract): ContractReport {
  const part = { profile, scope: scope?.name };
  if (source.kind === "built-in") return { source: "built-in", project: undefined, ...part };
  const folder = basename(dirname(source.path));
  return { source: source.path, project: name ?? (folder === "" ? undefined : printable(folder)), ...part };
}

/** The titles of reports: by the built-in contract, and by a contract of the project. */
const TITLES = {
  check: ["Sophia Configuration Smoke Check", "Configuration check"],
  comparison: ["Sophia Configuration Comparison", "Configuration comparison"],
  code: ["Sophia Code Check", "Code check"],
  audit: ["Sophia Secret Audit", "Secret audit"],
} as const;

/** Returns the first line of a report: `=== Configuration check: my-app ===`. */
export function createReportTitle(report: keyof typeof TITLES, { source, project }: ContractReport): string {
  const [builtInTitle, projectTitle] = TITLES[report];
  if (source === "built-in") return `=== ${builtInTitle} ===`;
  return `=== ${projectTitle}${project === undefined ? "" : `: ${project}`} ===`;
}

/** The columns of a head line's label, such as `Contract: ` or `ESC:      `. */
const HEAD_LABEL_COLUMNS = 10;

/**
 * Returns a line at the top of a report: `Contract: /home/user/app/sophia.contract.json`. A long path stays behind the label, on the
 * same line.
 *
 * @param label `Contract:`, for example; empty for a further line under the label above
 */
export function createHeadLine(label: string, text: string): Line {
  return { text: label.padEnd(HEAD_LABEL_COLUMNS) + text, hangingIndent: HEAD_LABEL_COLUMNS };
}

/** Returns `built-in`, or `/home/user/app/sophia.contract.json (profile dev, scope web)`. */
export function describeContract({ source, profile, scope }: ContractReport): string {
  const parts = Object.entries({ profile, scope }).flatMap(([key, name]) =>
    name === undefined ? [] : `${key} ${name}`,
  );
  return printable(parts.length === 0 ? source : `${source} (${parts.join(", ")})`);
}

function isAboutMissing({ kind }: Violation): boolean {
  return kind === "missing" || kind === "missing-when" || kind === "some-missing" || kind === "none-set";
}

/**
 * Returns a function that finds the state of a variable. If a group is passed, and the group's rule is broken, the function returns the
 * state of the group. The violations decide; a variable without a violation is set or unset.
 */
function createStateFinder(start: Start): StateFinder {
  const { selected } = judgedValues(start);
  const { violations } = start.verdict;
  const states = new Map<string, State>();
  const groups = new Map<string, State>();
  for (const violation of violations) {
    if ("rule" in violation && "group" in violation.rule) {
      groups.set(violation.rule.group, violation.kind === "several-set" ? "invalid" : "missing");
    }
    if (violation.kind === "missing" || violation.kind === "missing-when") states.set(violation.name, "missing");
    if (violation.kind === "some-missing") for (const name of violation.missing) states.set(name, "missing");
    // This comes last, because a blank value is both missing and invalid, and is shown as invalid.
    if (isAboutWrongValue(violation)) states.set(violation.name, "invalid");
  }
  return (name = "", group = "") => groups.get(group) ?? states.get(name) ?? (isSet(selected, name) ? "set" : "unset");
}
