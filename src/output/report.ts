import type { Assessment } from "../resolve/assessment.ts";
import { isSet, serving } from "../contract/check.ts";
import { describeViolations } from "../contract/wording.ts";
import type { Credential } from "../esc/settings/credentials.ts";
import { describeNotice, further } from "./notices.ts";
import type { Origin, Resolution, SourceId } from "../core/model.ts";
import type { Contract, Violation } from "../contract/model.ts";
import { mask, printable } from "../core/text.ts";
import { SOURCE_IDS } from "../resolve/sources.ts";

/** What may be reported of an assessment: it holds no value, at most the masked end of one. */
export interface Report {
  readonly met: boolean;
  readonly contract: ContractReport;
  readonly esc: EscReport;
  /** Sections as the contract lays them out. */
  readonly sections: readonly SectionReport[];
  /** Declared variables, in the contract's order. */
  readonly variables: readonly VariableReport[];
  /** The sources that serve declared variables, by precedence. */
  readonly sources: readonly SourceId[];
  readonly violations: readonly ViolationReport[];
  readonly notices: readonly string[];
}

export interface ContractReport {
  /** `built-in`, or the path of its file. */
  readonly source: string;
  readonly profile?: string;
  readonly scope?: string;
}

export interface EscReport {
  readonly status: "off" | "incomplete" | "fake" | "read" | "unavailable" | "refused";
  /** As the user wrote it. */
  readonly environment?: string;
  /** The variable that gave the credential, and its masked end or a path. */
  readonly credential?: { readonly variable: string; readonly shown: string };
  readonly environments: readonly { readonly name: string; readonly version?: string }[];
  /** Why ESC could not be read. */
  readonly failure?: { readonly code: string; readonly message: string; readonly further: readonly string[] };
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
  /** The variable that serves. */
  readonly name?: string;
  readonly masked?: string;
}

export interface VariableReport {
  readonly name: string;
  readonly label: string;
  readonly secret: boolean;
  readonly state: State;
  readonly origin?: Origin;
  readonly shadows: readonly Origin[];
}

export interface ViolationReport {
  /** The kind of the violation: a stable token. */
  readonly kind: string;
  readonly names: readonly string[];
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Draws the report from an assessment; the only place where values become masks. */
export function makeReport(assessment: Assessment): Report {
  const { contract, selected } = assessment;
  const violations = reportAssessed(assessment);
  const sources = new Set<SourceId>();
  for (const name of contract.variables.keys()) {
    const origin = isSet(selected, name) ? selected.get(name)?.origin : undefined;
    if (origin !== undefined) sources.add(origin.source);
  }
  return {
    met: violations.length === 0,
    contract: reportContract(contract),
    esc: reportEsc(assessment),
    sections: contract.sections.map(({ title, lines }) => ({
      title,
      lines: lines.map((line): LineReport => {
        const names = line.kind === "group" ? line.names : [line.name];
        const name = serving(names, selected);
        const value = name === undefined ? undefined : selected.get(name)?.value;
        const state =
          line.kind === "group" ? stateOfGroup(line.group, name, assessment) : stateOfVariable(line.name, assessment);
        return {
          label: line.label,
          state,
          ...(name === undefined ? {} : { name }),
          ...(value === undefined ? {} : { masked: mask(value) }),
        };
      }),
    })),
    variables: Array.from(contract.variables.values(), ({ name, label, secret }) => {
      const resolved = isSet(selected, name) ? selected.get(name) : undefined;
      return {
        name,
        label,
        secret,
        state: stateOfVariable(name, assessment),
        ...(resolved === undefined ? {} : { origin: resolved.origin }),
        shadows: resolved?.shadowed?.map(({ origin }) => origin) ?? [],
      };
    }),
    sources: SOURCE_IDS.filter((source) => sources.has(source)),
    violations,
    notices: assessment.notices.map((notice) => describeNotice(notice)[0]),
  };
}

/** Which contract it is. */
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

/** What of ESC's state programs are told: the masked end of a token stays out. */
export function escForPrograms({ credential, ...rest }: EscReport): object {
  return { ...rest, ...(credential === undefined ? {} : { credential: credential.variable }) };
}

/** The violations of an assessment in words. */
export function reportAssessed({ contract, esc, selected, violations }: Assessment): readonly ViolationReport[] {
  const escEnvironment =
    esc.kind === "read"
      ? esc.environments.at(-1)?.name
      : esc.kind === "unavailable" || esc.kind === "refused"
        ? esc.settings.environments.at(-1)?.text.replace(/@.*$/, "")
        : undefined;
  return reportViolations(violations, contract, selected, escEnvironment);
}

/**
 * Violations in words.
 *
 * @param escEnvironment `org/project/name`, where ESC is configured
 */
export function reportViolations(
  violations: readonly Violation[],
  contract: Contract,
  selected: Resolution,
  escEnvironment: string | undefined,
): readonly ViolationReport[] {
  const context = {
    present: [...selected.keys()],
    origins: selected,
    ...(escEnvironment === undefined ? {} : { escEnvironment }),
  };
  return describeViolations(violations, contract, context).map(({ violation, message, remedies }) => ({
    kind: violation.kind,
    names: namesOf(violation),
    message,
    remedies,
  }));
}

function namesOf(violation: Violation): readonly string[] {
  return "name" in violation ? [violation.name] : violation.rule.names;
}

/** The state of one variable by the rules that it breaks. */
function stateOfVariable(name: string, { selected, violations }: Assessment): State {
  const isMissing = (one: Violation): boolean =>
    one.kind === "some-missing"
      ? one.missing.includes(name)
      : (one.kind === "missing" || one.kind === "missing-when") && one.name === name;
  const isInvalid = (one: Violation): boolean =>
    (one.kind === "malformed" || one.kind === "placeholder") && one.name === name;
  if (violations.some(isInvalid)) return "invalid";
  if (violations.some(isMissing)) return "missing";
  return isSet(selected, name) ? "set" : "unset";
}

/** The state of a group by the rule over it, else that of the variable that serves. */
function stateOfGroup(group: string, serves: string | undefined, assessment: Assessment): State {
  const broken = assessment.violations.find((one) => "rule" in one && "group" in one.rule && one.rule.group === group);
  if (broken !== undefined) return broken.kind === "several-set" ? "invalid" : "missing";
  return serves === undefined ? "unset" : stateOfVariable(serves, assessment);
}

function reportEsc({ esc, resolution }: Assessment): EscReport {
  if (esc.kind === "off" || esc.kind === "fake") return { status: esc.kind, environments: [] };
  if (esc.kind === "incomplete") {
    const environment = resolution.get("ESC_ENV")?.value ?? "";
    const token = resolution.get("ESC_TOKEN")?.value ?? "";
    return {
      status: "incomplete",
      ...(environment === "" ? {} : { environment: printable(environment) }),
      ...(token === "" ? {} : { credential: { variable: "ESC_TOKEN", shown: mask(token) } }),
      environments: [],
    };
  }
  const shared = {
    environment: esc.settings.environments.map(({ text }) => text).join(","),
    credential: reportCredential(esc.settings.credential),
  };
  if (esc.kind === "read") return { status: "read", ...shared, environments: esc.environments };
  const { failure } = esc;
  return {
    status: esc.kind,
    ...shared,
    environments: [],
    failure: { code: failure.code, message: failure.message, further: further(failure) },
  };
}

function reportCredential(credential: Credential): NonNullable<EscReport["credential"]> {
  switch (credential.kind) {
    case "token":
      return { variable: "ESC_TOKEN", shown: mask(credential.token.reveal()) };
    case "token-file":
      return { variable: "ESC_TOKEN_FILE", shown: printable(credential.path) };
    case "oidc-file":
      return { variable: "ESC_OIDC_TOKEN_FILE", shown: printable(credential.path) };
    case "github-actions":
      return { variable: "ESC_OIDC_ORG", shown: `${credential.exchange.organization} (GitHub Actions)` };
  }
}
