import { basename, dirname } from "node:path";
import { hasNoContract, judgedValues, type Start } from "../resolve/start.ts";
import { isSet, findUsedVariable } from "../contract/check-contract.ts";
import { credentialOf } from "../contract/looks-secret.ts";
import { isOfValue, reportViolation, type ViolationReport, wordViolations } from "./violations.ts";
import { reportEsc, type EscReport, mask } from "./esc-report.ts";
import { isHidden, publicCredentials, type PublicCredential } from "../resolve/secret-values.ts";
import { emptyWords } from "./unset-values.ts";
import { withheldWords } from "./withheld-words.ts";
import { describeNotice } from "./notice-words.ts";
import type { Origin, Resolved, SourceId } from "../core/model.ts";
import type { Contract, SectionLine, Violation } from "../contract/contract-model.ts";
import { printable } from "../core/text.ts";
import { UNSEEN } from "../esc/api/evaluate.ts";
import { PRECEDENCE } from "../resolve/precedence.ts";

/** Report of an start, without values; at most with their masked ends. */
export interface Report {
  readonly met: boolean;
  /** There is no contract, and the built-in one is not meant: the report has none of its variables. */
  readonly isAbsent: boolean;
  readonly contract: ContractReport;
  readonly esc: EscReport;
  /** No rule of the contract can be broken by a variable that is not set. */
  readonly nothingRequired: boolean;
  readonly sections: readonly SectionReport[];
  readonly variables: readonly VariableReport[];
  readonly sources: readonly SourceId[];
  readonly overridden: readonly string[];
  readonly violations: readonly ViolationReport[];
  readonly notices: readonly string[];
  /** Declared as not secret, with a value that holds a credential. */
  readonly credentials: readonly PublicCredential[];
}

export interface ContractReport {
  readonly source: string;
  /** The project's name; undefined for the built-in contract, and for a project in the root folder. */
  readonly project: string | undefined;
  readonly profile: string | undefined;
  readonly scope: string | undefined;
}

/** `unset`: not set and not required; `missing`: not set but required; `invalid`: set, but breaks a rule. */
export type State = "set" | "unset" | "missing" | "invalid";

interface SectionReport {
  readonly title: string;
  readonly lines: readonly LineReport[];
}

export interface LineReport {
  readonly label: string;
  readonly state: State;
  readonly name: string | undefined;
  readonly origin: Origin | undefined;
  /** The masked end of a secret, or the value of a variable declared as not secret. Not in JSON. */
  readonly shown: string | undefined;
  /** The reason for which the program does not get the variable, which a source has. */
  readonly withheld: string | undefined;
  /** The source that has the variable without a value, in words. Not in JSON. */
  readonly empty: string | undefined;
}

interface VariableReport {
  readonly name: string;
  readonly label: string;
  readonly secret: boolean;
  readonly state: State;
  readonly origin: Origin | undefined;
  readonly shadows: readonly Origin[];
}

/** Returns a start without the variables and rules of the built-in contract where that is not meant. */
export function withMeantContract(start: Start): Start {
  if (!hasNoContract(start)) return start;
  const { contract } = start.files;
  const nothing = { variables: new Map(), aliases: new Map(), deprecated: new Map(), rules: [], sections: [] };
  return { ...start, files: { ...start.files, contract: { ...contract, ...nothing } } };
}

/** Makes the report of an start. Values are masked only here. */
export function makeReport(given: Start): Report {
  const start = withMeantContract(given);
  const {
    files: { contract },
  } = start;
  const values = judgedValues(start);
  const { selected } = values;
  const violations = wordViolations(start.verdict.violations, start).map(reportViolation);
  const why = withheldWords({ ...start, values });
  const emptyOf = emptyWords({ values });
  const stateOf = stateFinder(start);
  const absent = hasNoContract(start);
  const declared = Array.from(contract.variables.values());
  const variables = declared.map(({ name, label, secret: isDeclaredSo }): VariableReport => {
    const resolved = isSet(selected, name) ? selected.get(name) : undefined;
    const secret = isDeclaredSo || (resolved !== undefined && isHidden(contract, resolved));
    const shadows = resolved?.shadowed?.map((one) => one.origin) ?? [];
    return { name, label, secret, state: stateOf(name), origin: resolved?.origin, shadows };
  });
  const reportLine = (line: SectionLine): LineReport => {
    const names = line.kind === "group" ? line.names : [line.name];
    const name = findUsedVariable(names, selected);
    const resolved = name === undefined ? undefined : selected.get(name);
    const withheld = name === undefined ? names.map(why).find((words) => words !== undefined) : undefined;
    return {
      label: line.label,
      state: line.kind === "group" ? stateOf(name, line.group) : stateOf(line.name),
      name: resolved?.name,
      origin: resolved?.origin,
      shown: resolved && shown(resolved, contract),
      withheld,
      empty: name === undefined ? names.map(emptyOf).find((words) => words !== undefined) : undefined,
    };
  };
  const sources = new Set(variables.map(({ origin }) => origin?.source));
  return {
    met: violations.length === 0,
    isAbsent: absent,
    contract: reportContract(contract),
    // A project's own contract may be for other sources than ESC; the built-in one is not.
    esc: reportEsc(start, contract.source.kind === "built-in" && start.verdict.violations.some(isOfMissing)),
    nothingRequired: !absent && contract.rules.every(({ kind }) => kind === "optional"),
    sections: contract.sections.map(({ title, lines }) => ({ title, lines: lines.map(reportLine) })),
    variables,
    sources: PRECEDENCE.esc.filter((source) => sources.has(source)),
    overridden: start.verdict.notices.flatMap((notice) => (notice.kind === "shadowed" ? notice.names : [])),
    violations,
    notices: start.verdict.notices.map((notice) => describeNotice(notice)[0]),
    credentials: publicCredentials(start),
  };
}

const MAX_SHOWN = 60;

/** Masks a value unless it is declared as not secret, not secret in ESC, no file, and holds no credential. */
function shown({ name, value, secret, origin, delivery }: Resolved, contract: Contract): string {
  const isSecret = contract.variables.get(name)?.secret !== false || (origin.source === "esc" && secret);
  if (value === UNSEEN) return "***";
  if (isSecret || delivery === "file" || credentialOf(contract, name, value) !== undefined) return mask(value);
  const characters = Array.from(value);
  return printable(characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN).join("")}…` : value);
}

export function reportContract({ source, name, profile, scope }: Contract): ContractReport {
  const part = { profile, scope: scope?.name };
  if (source.kind === "built-in") return { source: "built-in", project: undefined, ...part };
  const folder = basename(dirname(source.path));
  return { source: source.path, project: name ?? (folder === "" ? undefined : printable(folder)), ...part };
}

/** The titles of reports by the built-in contract, and by a project's own. */
const TITLES = {
  check: ["Sophia Configuration Smoke Check", "Configuration check"],
  comparison: ["Sophia Configuration Comparison", "Configuration comparison"],
  code: ["Sophia Code Check", "Code check"],
  audit: ["Sophia Secret Audit", "Secret audit"],
} as const;

export function reportTitle(report: keyof typeof TITLES, { source, project }: ContractReport): string {
  const [sophia, own] = TITLES[report];
  if (source === "built-in") return `=== ${sophia} ===`;
  return `=== ${own}${project === undefined ? "" : `: ${project}`} ===`;
}

export function contractWords({ source, profile, scope }: ContractReport): string {
  const parts = Object.entries({ profile, scope }).flatMap(([key, name]) =>
    name === undefined ? [] : `${key} ${name}`,
  );
  return printable(parts.length === 0 ? source : `${source} (${parts.join(", ")})`);
}

function isOfMissing({ kind }: Violation): boolean {
  return kind === "missing" || kind === "missing-when" || kind === "some-missing" || kind === "none-set";
}

/** Returns a function for the state of a variable by the rules that it breaks, or of a group by the rule over it. */
function stateFinder(start: Start): (name: string | undefined, group?: string) => State {
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
    // Last, since a blank value is both missing and invalid.
    if (isOfValue(violation)) states.set(violation.name, "invalid");
  }
  return (name = "", group = "") => groups.get(group) ?? states.get(name) ?? (isSet(selected, name) ? "set" : "unset");
}
