/**
 * Collects the facts that `sophia-run explain` reports about each variable: its state and source, which values it
 * overrides, which rules it breaks, and what the program gets. The result contains no value. explanation-text.ts writes the
 * report.
 */
import type { Start } from "../../resolve/start.ts";
import { declarationOf, isDeclared, findUsedVariable } from "../../contract/check-contract.ts";
import { describeCredential } from "../../contract/credential-forms.ts";
import { listChapters, describeFormat, describeInterval, createRuleFinder, describeRule } from "../docs/outline.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import { rotationIntervalOf } from "../../contract/rotation.ts";
import { groupBy } from "../../core/group-by.ts";
import type { Notice, Origin, ResolvedVariable } from "../../core/model.ts";
import { type Maskability, maskabilityOf } from "../../masking/texts.ts";
import { isSecret } from "../../contract/secret-names.ts";
import { isHidden } from "../../resolve/secret-values.ts";
import { refuseUnknownVariables, findNamesSkippedByEsc } from "../parts/unknown-variables.ts";
import type { BrokerExplainer, BrokerExplanation } from "./explain-broker.ts";
import type { RefreshExplainer, RefreshExplanation } from "./explain-refresh.ts";
import { createWithholdingRule, type WithholdingReason } from "../../resolve/select.ts";
import { createReport, type Report, type State, removeUnrelatedContract } from "../../output/report.ts";
import { printable } from "../../core/text.ts";

/** The report of `explain`. */
export interface Explanation {
  readonly contract: Report["contract"];
  /** True if there is no contract, and the built-in one is not meant. */
  readonly isAbsent: boolean;
  readonly esc: Report["esc"];
  /**
   * The variables that the user named, or all: first the declared ones by the chapters of the contract, then the others.
   */
  readonly chapters: readonly Chapter[];
  /** The numbers of undeclared variables of the process environment that the report does not list. */
  readonly unlisted: { readonly passed: number; readonly withheld: number };
  readonly notices: readonly string[];
}

interface Chapter {
  /** Empty for the variables that the user named. */
  readonly title: string;
  readonly variables: readonly VariableExplanation[];
}

/** The facts about one variable. The JSON report has these fields, so their names must not change. */
export interface VariableExplanation {
  readonly name: string;
  readonly declared: boolean;
  /** The declared variable of which this name is an alias. */
  readonly aliasOf: string | undefined;
  readonly secret: boolean;
  /** `masked`: `--redact` masks the value. Otherwise the reason why it does not; undefined without a value. */
  readonly masking: Maskability | "not-secret" | undefined;
  /**
   * Describes a credential in the value of a variable that nothing declares secret. It makes the value secret, unless
   * `reason` is set.
   */
  readonly credential: string | undefined;
  /** The contract's reason why the value is public. */
  readonly reason: string | undefined;
  readonly declaration: DeclarationFacts | undefined;
  readonly state: State;
  /** True if the program gets the variable. */
  readonly passed: boolean;
  /** `file`: the program gets the path of a private file with the value. */
  readonly delivery: ResolvedVariable["delivery"] | undefined;
  /** The origin of the value that the program gets. */
  readonly origin: Origin | undefined;
  /** The origins of the values that it overrides, highest precedence first. */
  readonly shadows: readonly { readonly origin: Origin; readonly same: boolean }[];
  /** The origins of values that the program does not get, and why not. */
  readonly withheld: readonly { readonly origin: Origin; readonly why: WithholdingReason }[];
  readonly rules: readonly RuleExplanation[];
  /** The violations of rules over this variable alone. */
  readonly problems: readonly { readonly message: string; readonly remedies: readonly string[] }[];
  /** The effect of --broker on the variable. Without the option: the effect that it would have. */
  readonly broker: BrokerExplanation | undefined;
  /** The effect of --refresh on the variable. Without the option: the effect that it would have. */
  readonly refresh: RefreshExplanation | undefined;
  /** The ESC environments whose value cannot be used. */
  readonly skipped: readonly SkippedValue[];
}

interface SkippedValue {
  readonly environment: string;
  readonly why: Extract<Notice, { readonly kind: "esc-skipped" }>["why"];
}

/** A rule of the contract over a variable. */
export interface RuleExplanation {
  readonly kind: Rule["kind"];
  /** The rule for people, such as `one of GitHub Token`. */
  readonly words: string;
  readonly met: boolean;
  /** The group of the rule; undefined for a rule over a single variable. */
  readonly group: string | undefined;
  /** The variable of the group that the program uses. */
  readonly serving: string | undefined;
}

/** The details that the contract declares about a variable. */
type DeclarationFacts = ReturnType<typeof describeDeclaration>;

/** The options of a start that change what the program gets. */
interface StartEffects {
  readonly broker: BrokerExplainer;
  readonly refresh: RefreshExplainer;
}

/** The variables that the report lists. */
interface ReportSelection {
  /** The variables that the user named; empty for all. */
  readonly names: readonly string[];
  /** True with `--all`: undeclared variables of the process environment are listed as well. */
  readonly listsAll: boolean;
}

/** Explains variables. @throws SophiaError (125) for a name that neither the contract nor a source has */
export function createExplanation(
  resolvedStart: Start,
  { names, listsAll }: ReportSelection,
  effects: StartEffects,
): Explanation {
  const start = removeUnrelatedContract(resolvedStart);
  const report = createReport(start);
  const { contract, isAbsent, esc, notices } = report;
  const explainer = new VariableExplainer(start, report, effects);
  const addedNames = [...effects.broker.addedNames, ...effects.refresh.addedNames];
  if (names.length === 0) {
    return { contract, isAbsent, esc, notices, ...explainAll(start, explainer, addedNames, listsAll) };
  }
  refuseUnknownVariables(names, start, addedNames);
  const variables = [...new Set(names)].map((name) => explainer.explain(name));
  const onlyChapter = { title: "", variables };
  return { contract, isAbsent, esc, notices, chapters: [onlyChapter], unlisted: { passed: 0, withheld: 0 } };
}

/** Explains all variables, by chapters. @param addedNames the variables that only --broker or --refresh sets */
function explainAll(
  start: Start,
  explainer: VariableExplainer,
  addedNames: readonly string[],
  listsAll: boolean,
): Pick<Explanation, "chapters" | "unlisted"> {
  const { contract } = start.files;
  const undeclaredVariables = explainUndeclared(start, explainer, addedNames);
  const isOutsideScope = ({ name }: VariableExplanation): boolean => contract.scope?.outside.has(name) === true;
  const variablesOutsideScope = undeclaredVariables.filter(isOutsideScope);
  const otherVariables = undeclaredVariables.filter((variable) => !isOutsideScope(variable));
  const isListed = (variable: VariableExplanation): boolean => listsAll || isNoteworthy(variable);
  const unlistedVariables = otherVariables.filter((variable) => !isListed(variable));
  const passedCount = unlistedVariables.filter(({ passed }) => passed).length;
  const declaredChapters = listChapters(contract).map(({ title, declarations }) => ({
    title,
    variables: declarations.map(({ name }) => explainer.explain(name)),
  }));
  const undeclaredTitle = explainer.isContractAbsent ? "Variables" : "Not declared by the contract";
  const allChapters = [
    ...declaredChapters,
    { title: undeclaredTitle, variables: otherVariables.filter(isListed) },
    { title: `Not in the scope ${contract.scope?.name ?? ""}`, variables: variablesOutsideScope },
  ];
  return {
    chapters: allChapters.filter(({ variables }) => variables.length > 0),
    unlisted: { passed: passedCount, withheld: unlistedVariables.length - passedCount },
  };
}

/** Explains the variables that a source or an option has and the contract does not declare, sorted by name. */
function explainUndeclared(
  start: Start,
  explainer: VariableExplainer,
  addedNames: readonly string[],
): readonly VariableExplanation[] {
  const allNames = new Set([...start.values.resolution.keys(), ...findNamesSkippedByEsc(start), ...addedNames]);
  const undeclaredNames = [...allNames].filter((name) => !start.files.contract.variables.has(name));
  return undeclaredNames.toSorted().map((name) => explainer.explain(name));
}

/** Returns true for an undeclared variable that not only the process environment has, so that the report should list it. */
function isNoteworthy(variable: VariableExplanation): boolean {
  return (
    variable.aliasOf !== undefined ||
    variable.skipped.length > 0 ||
    variable.broker?.kind === "address" ||
    variable.refresh?.kind === "set" ||
    variable.refresh?.kind === "refused" ||
    listOrigins(variable).some(({ source }) => source !== "environment")
  );
}

function listOrigins({ origin, shadows, withheld }: VariableExplanation): readonly Origin[] {
  return [
    ...(origin === undefined ? [] : [origin]),
    ...[...shadows, ...withheld].map(({ origin: otherOrigin }) => otherOrigin),
  ];
}

/** Explains single variables. The constructor computes what concerns all variables, so that it is computed only once. */
class VariableExplainer {
  readonly isContractAbsent: boolean;
  readonly #start: Start;
  readonly #effects: StartEffects;
  readonly #states: ReadonlyMap<string, State>;
  readonly #reasonToWithhold: ReturnType<typeof createWithholdingRule>;
  readonly #findRules: ReturnType<typeof createRuleFinder>;
  readonly #brokenRules: ReadonlySet<Rule | string>;
  readonly #violationsByName: ReadonlyMap<string | undefined, readonly Report["violations"][number][]>;
  readonly #skippedByName: ReadonlyMap<string, readonly SkippedValue[]>;

  constructor(start: Start, report: Report, effects: StartEffects) {
    const { contract } = start.files;
    const { violations, notices } = start.verdict;
    this.isContractAbsent = report.isAbsent;
    this.#start = start;
    this.#effects = effects;
    this.#states = new Map(report.variables.map(({ name, state }) => [name, state]));
    this.#reasonToWithhold = createWithholdingRule(start.values.selection, (name) => isDeclared(contract, name));
    this.#findRules = createRuleFinder(contract);
    this.#brokenRules = new Set(
      violations.flatMap((violation) => ("rule" in violation ? [identityOf(violation.rule)] : [])),
    );
    // The report has a violation at the same index as the verdict. A violation with `name` is about a single variable.
    const violationsOfOneVariable = report.violations.filter((_, index) => "name" in (violations[index] ?? {}));
    this.#violationsByName = groupBy(violationsOfOneVariable, ({ names }) => names[0]);
    const skipped = notices.flatMap((notice) =>
      notice.kind === "esc-skipped" ? notice.names.map((name) => ({ ...notice, name })) : [],
    );
    this.#skippedByName = groupBy(skipped, ({ name }) => name);
  }

  explain(name: string): VariableExplanation {
    const { contract } = this.#start.files;
    const { resolution, selected } = this.#start.values;
    // The value of highest precedence. The program does not get it if the variable is withheld.
    const winner = resolution.get(name);
    const passedVariable = selected.get(name);
    const declaration = contract.variables.get(name);
    const secrecy = explainSecrecy(contract, name, winner);
    const skipped = this.#skippedByName.get(name) ?? [];
    return {
      name: printable(name),
      declared: isDeclared(contract, name),
      aliasOf: contract.aliases.get(name),
      ...secrecy,
      declaration: declaration === undefined ? undefined : describeDeclaration(contract, declaration),
      state: this.#states.get(name) ?? (passedVariable === undefined ? "unset" : "set"),
      passed: passedVariable !== undefined,
      delivery: passedVariable?.delivery,
      origin: passedVariable?.origin,
      shadows: passedVariable?.shadowed ?? [],
      withheld: this.#withheldOrigins(name, winner),
      rules: this.#findRules(name).map((rule) => this.#explainRule(rule)),
      problems: this.#violationsByName.get(name)?.map(({ message, remedies }) => ({ message, remedies })) ?? [],
      broker: this.#effects.broker.explain(name),
      refresh: this.#effects.refresh.explain(name),
      skipped: skipped.map(({ environment, why }) => ({ environment: printable(environment), why })),
    };
  }

  #withheldOrigins(name: string, winner: ResolvedVariable | undefined): VariableExplanation["withheld"] {
    if (winner === undefined) return [];
    const origins = [winner.origin, ...(winner.shadowed ?? []).map(({ origin }) => origin)];
    return origins.flatMap((origin) => {
      const why = this.#reasonToWithhold({ name, origin });
      return why === undefined ? [] : [{ origin, why }];
    });
  }

  #explainRule(rule: Rule): RuleExplanation {
    const isGroupRule = "names" in rule;
    return {
      kind: rule.kind,
      words: describeRule(rule),
      met: !this.#brokenRules.has(identityOf(rule)),
      group: isGroupRule ? rule.group : undefined,
      serving: isGroupRule ? findUsedVariable(rule.names, this.#start.values.selected) : undefined,
    };
  }
}

/**
 * Returns what identifies a rule. For a rule of a group it is the group's name, since `--include` replaces the rule by
 * another object.
 */
function identityOf(rule: Rule): Rule | string {
  return "group" in rule ? rule.group : rule;
}

/** Decides whether the value is secret, whether --redact masks it, and why. */
function explainSecrecy(
  contract: Contract,
  name: string,
  winner: ResolvedVariable | undefined,
): Pick<VariableExplanation, "secret" | "masking" | "credential" | "reason"> {
  const isDeclaredSecret = isSecret(contract, { name, secret: winner?.secret ?? false });
  const secret = isDeclaredSecret || (winner !== undefined && isHidden(contract, winner));
  const maskingOfValue = (value: string): VariableExplanation["masking"] =>
    secret ? maskabilityOf(value) : "not-secret";
  // Such a value is secret whatever its form is, or is a default of the contract, which is public whatever its form is (`isHidden`).
  const needsNoCredential = isDeclaredSecret || winner?.origin.source === "contract";
  return {
    secret,
    masking: winner === undefined || winner.value === "" ? undefined : maskingOfValue(winner.value),
    credential: winner === undefined || needsNoCredential ? undefined : describeCredential(winner.value),
    reason: secret ? undefined : declarationOf(contract, name)?.reason,
  };
}

function describeDeclaration(contract: Contract, declaration: Declaration) {
  const { label, description, docs, aliases, deprecated } = declaration;
  const rotation = rotationIntervalOf(contract, declaration);
  return {
    label,
    description,
    format: describeFormat(declaration),
    docs,
    aliases: aliases.map((alias) => alias.name),
    deprecated,
    rotate: rotation === undefined ? undefined : describeInterval(rotation),
  };
}
