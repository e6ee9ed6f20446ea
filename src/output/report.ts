import type { Assessment } from "../resolve/assessment.ts";
import { isSet, serving } from "../contract/check.ts";
import { reportViolation, type ViolationReport, wordViolations } from "./violations.ts";
import { reportEsc, type EscReport } from "./esc-report.ts";
import { withheldWords } from "../resolve/withheld.ts";
import { describeNotice } from "./notices.ts";
import type { Origin, Resolved, SourceId } from "../core/model.ts";
import type { Contract, SectionLine, Violation } from "../contract/model.ts";
import { mask } from "../core/mask.ts";
import { printable } from "../core/text.ts";
import { SOURCE_IDS } from "../resolve/sources.ts";

/** Report of an assessment: it holds no value, at most the masked end of one. */
export interface Report {
  readonly met: boolean;
  readonly contract: ContractReport;
  readonly esc: EscReport;
  readonly sections: readonly SectionReport[];
  readonly variables: readonly VariableReport[];
  readonly sources: readonly SourceId[];
  readonly overridden: readonly string[];
  readonly violations: readonly ViolationReport[];
  readonly notices: readonly string[];
}

export interface ContractReport {
  readonly source: string;
  readonly profile?: string;
  readonly scope?: string;
}

/** `unset`: nothing is there and nothing needs to be; `missing`: a rule asks for it; `invalid`: there, but wrong. */
export type State = "set" | "unset" | "missing" | "invalid";

export interface SectionReport {
  readonly title: string;
  readonly lines: readonly LineReport[];
}

export interface LineReport {
  readonly label: string;
  readonly state: State;
  readonly name?: string;
  readonly origin?: Origin;
  /** The masked end of a secret; the value of what the contract declares to be none. Not for programs. */
  readonly shown?: string;
  /** Why the program does not get what a source has. */
  readonly withheld?: string;
}

export interface VariableReport {
  readonly name: string;
  readonly label: string;
  readonly secret: boolean;
  readonly state: State;
  readonly origin?: Origin;
  readonly shadows: readonly Origin[];
}

/** Draws the report from an assessment; the only place where values become masks. */
export function makeReport(assessment: Assessment): Report {
  const { contract, selected } = assessment;
  const violations = wordViolations(assessment.violations, assessment).map(reportViolation);
  const why = withheldWords(assessment);
  const stateOf = stateFinder(assessment);
  const variables = Array.from(contract.variables.values(), ({ name, label, secret }): VariableReport => {
    const resolved = isSet(selected, name) ? selected.get(name) : undefined;
    const origin = resolved === undefined ? {} : { origin: resolved.origin };
    const shadows = resolved?.shadowed?.map((one) => one.origin) ?? [];
    return { name, label, secret, state: stateOf(name), ...origin, shadows };
  });
  const reportLine = (line: SectionLine): LineReport => {
    const names = line.kind === "group" ? line.names : [line.name];
    const name = serving(names, selected);
    const resolved = name === undefined ? undefined : selected.get(name);
    const withheld = name === undefined ? names.map(why).find((words) => words !== undefined) : undefined;
    return {
      label: line.label,
      state: line.kind === "group" ? stateOf(name, line.group) : stateOf(line.name),
      ...(withheld === undefined ? {} : { withheld }),
      ...(resolved && { name: resolved.name, origin: resolved.origin, shown: shown(resolved, contract) }),
    };
  };
  const sources = new Set(variables.map(({ origin }) => origin?.source));
  return {
    met: violations.length === 0,
    contract: reportContract(contract),
    // A contract of one's own need not know ESC; that of the Sophia platform does.
    esc: reportEsc(assessment, contract.source.kind === "built-in" && assessment.violations.some(isOfMissing)),
    sections: contract.sections.map(({ title, lines }) => ({ title, lines: lines.map(reportLine) })),
    variables,
    sources: SOURCE_IDS.filter((source) => sources.has(source)),
    overridden: assessment.notices.flatMap((notice) => (notice.kind === "shadowed" ? notice.names : [])),
    violations,
    notices: assessment.notices.map((notice) => describeNotice(notice)[0]),
  };
}

const MAX_SHOWN = 60;

/** A value that is declared not to be secret, unless ESC keeps it secret, it is a file, or its URL has a password in it. */
function shown({ name, value, secret, origin, delivery }: Resolved, { variables }: Contract): string {
  const isSecret = variables.get(name)?.secret !== false || (origin.source === "esc" && secret);
  if (isSecret || delivery === "file" || /:\/\/[^/\s]*@/.test(value)) return mask(value);
  const characters = Array.from(value);
  return printable(characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN).join("")}…` : value);
}

export function reportContract({ source, profile, scope }: Contract): ContractReport {
  return {
    source: source.kind === "built-in" ? "built-in" : source.path,
    ...(profile === undefined ? {} : { profile }),
    ...(scope === undefined ? {} : { scope: scope.name }),
  };
}

/** `sophia.contract.json (profile ci, scope web)`, for one line. */
export function contractWords({ source, profile, scope }: ContractReport): string {
  const parts = [
    ...(profile === undefined ? [] : [`profile ${profile}`]),
    ...(scope === undefined ? [] : [`scope ${scope}`]),
  ];
  return printable(parts.length === 0 ? source : `${source} (${parts.join(", ")})`);
}

function isOfMissing({ kind }: Violation): boolean {
  return kind === "missing" || kind === "missing-when" || kind === "some-missing" || kind === "none-set";
}

/** The state of a variable by the rules that it breaks; of a group by the rule over it, else that of the variable that serves. */
function stateFinder({ selected, violations }: Assessment): (name: string | undefined, group?: string) => State {
  const states = new Map<string, State>();
  const groups = new Map<string, State>();
  for (const one of violations) {
    if ("rule" in one && "group" in one.rule) {
      groups.set(one.rule.group, one.kind === "several-set" ? "invalid" : "missing");
    }
    if (one.kind === "missing" || one.kind === "missing-when") states.set(one.name, "missing");
    if (one.kind === "some-missing") for (const name of one.missing) states.set(name, "missing");
    // A blank value is both: what is wrong with values follows what is missing.
    if (one.kind === "malformed" || one.kind === "placeholder") states.set(one.name, "invalid");
  }
  return (name = "", group = "") => groups.get(group) ?? states.get(name) ?? (isSet(selected, name) ? "set" : "unset");
}
