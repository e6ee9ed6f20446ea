/** Explains variables, without values; pure. */
import type { Start } from "../../resolve/start.ts";
import { declarationOf, isDeclared, serving } from "../../contract/check-contract.ts";
import { credentialIn } from "../../contract/credential-forms.ts";
import { chapters, formWords, intervalWords, rulesByName, ruleWords } from "../docs/outline.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import { rotationOf } from "../../contract/rotation.ts";
import { grouped } from "../../core/grouped.ts";
import type { Origin } from "../../core/model.ts";
import { maskabilityOf } from "../../masking/texts.ts";
import { isSecret } from "../../contract/secret-names.ts";
import { isHidden } from "../../resolve/secret-values.ts";
import { refuseUnknownVariables, namesSkippedByEsc } from "../parts/unknown-variables.ts";
import type { BrokerExplainer } from "./explain-broker.ts";
import type { RefreshExplainer } from "./explain-refresh.ts";
import { withholding } from "../../resolve/select.ts";
import { makeReport, type Report, type State, withMeantContract } from "../../output/report.ts";
import { printable } from "../../core/text.ts";

export interface Explanation {
  readonly contract: Report["contract"];
  /** There is no contract, and the built-in one is not meant. */
  readonly isAbsent: boolean;
  readonly esc: Report["esc"];
  /** The named variables, or all: declared ones by the chapters of the contract, then the others. */
  readonly chapters: readonly { readonly title: string; readonly variables: readonly VariableExplanation[] }[];
  readonly unlisted: { readonly passed: number; readonly withheld: number };
  readonly notices: readonly string[];
}

/** The options of a start that change what the program gets. */
interface Effects {
  readonly broker: BrokerExplainer;
  readonly refresh: RefreshExplainer;
}

export type VariableExplanation = ReturnType<ReturnType<typeof explainer>>;
export type RuleExplanation = VariableExplanation["rules"][number];

/**
 * @param names empty for all
 * @param all undeclared variables of the process environment as well
 * @throws SophiaError (125) for a name that neither the contract nor a source has
 */
export function makeExplanation(given: Start, names: readonly string[], all: boolean, effects: Effects): Explanation {
  const start = withMeantContract(given);
  const {
    files: { contract },
    values: { resolution },
  } = start;
  const report = makeReport(start);
  const explain = explainer(start, report, effects);
  const added = [...effects.broker.added, ...effects.refresh.added];
  const shared = { contract: report.contract, isAbsent: report.isAbsent, esc: report.esc, notices: report.notices };
  if (names.length > 0) {
    refuseUnknownVariables(names, start, added);
    const variables = [...new Set(names)].map(explain);
    return { ...shared, chapters: [{ title: "", variables }], unlisted: { passed: 0, withheld: 0 } };
  }
  const others = [...resolution.keys(), ...namesSkippedByEsc(start), ...added].filter(
    (name) => !contract.variables.has(name),
  );
  const explained = [...new Set(others)].toSorted().map(explain);
  const isListed = (variable: VariableExplanation): boolean =>
    all ||
    variable.aliasOf !== undefined ||
    variable.skipped.length > 0 ||
    variable.broker?.kind === "address" ||
    variable.refresh?.kind === "set" ||
    variable.refresh?.kind === "refused" ||
    origins(variable).some(({ source }) => source !== "environment");
  const isOutside = ({ name }: VariableExplanation): boolean => contract.scope?.outside.has(name) === true;
  const unlisted = explained.filter((one) => !isListed(one) && !isOutside(one));
  const { length: passed } = unlisted.filter((one) => one.passed);
  return {
    ...shared,
    chapters: [
      ...chapters(contract).map(({ title, declarations }) => ({
        title,
        variables: declarations.map(({ name }) => explain(name)),
      })),
      {
        title: report.isAbsent ? "Variables" : "Not declared by the contract",
        variables: explained.filter((one) => isListed(one) && !isOutside(one)),
      },
      { title: `Not in the scope ${contract.scope?.name ?? ""}`, variables: explained.filter(isOutside) },
    ].filter(({ variables }) => variables.length > 0),
    unlisted: { passed, withheld: unlisted.length - passed },
  };
}

function origins({ origin, shadows, withheld }: VariableExplanation): readonly Origin[] {
  return [...(origin === undefined ? [] : [origin]), ...[...shadows, ...withheld].map((one) => one.origin)];
}

function explainer(start: Start, report: Report, { broker, refresh }: Effects) {
  const {
    files: { contract },
    values: { resolution, selected, selection },
    verdict: { violations },
  } = start;
  const states = new Map(report.variables.map(({ name, state }) => [name, state]));
  const reason = withholding(selection, (name) => isDeclared(contract, name));
  const rulesOf = rulesByName(contract);
  // By name, since `--include` replaces the rule of a group by one with fewer variables.
  const identify = (rule: Rule): Rule | string => ("group" in rule ? rule.group : rule);
  const broken = new Set(violations.flatMap((one) => ("rule" in one ? [identify(one.rule)] : [])));
  const problems = grouped(
    report.violations.filter((_, index) => "name" in (violations[index] ?? {})),
    ({ names }) => names[0],
  );
  const skipped = grouped(
    start.verdict.notices.flatMap((notice) =>
      notice.kind === "esc-skipped" ? notice.names.map((name) => ({ ...notice, name })) : [],
    ),
    ({ name }) => name,
  );

  return (name: string) => {
    const declaration = contract.variables.get(name);
    const winner = resolution.get(name);
    const resolved = selected.get(name);
    const isNamed = isSecret(contract, { name, secret: winner?.secret ?? false });
    const secret = isNamed || (winner !== undefined && isHidden(contract, winner));
    const masking: ReturnType<typeof maskabilityOf> | "not-secret" | undefined =
      winner === undefined || winner.value === "" ? undefined : secret ? maskabilityOf(winner.value) : "not-secret";
    const allOrigins =
      winner === undefined ? [] : [winner.origin, ...(winner.shadowed ?? []).map(({ origin }) => origin)];
    const state: State = states.get(name) ?? (resolved === undefined ? "unset" : "set");
    return {
      name: printable(name),
      declared: isDeclared(contract, name),
      aliasOf: contract.aliases.get(name),
      secret,
      /** `masked` by `--redact`, or the reason for which not; undefined without a value. */
      masking,
      /** The credential that makes it a secret although it is not declared so, or would without the contract's reason. */
      credential:
        winner === undefined || isNamed || winner.origin.source === "contract" ? undefined : credentialIn(winner.value),
      /** The contract's, for which it is public. */
      reason: secret ? undefined : declarationOf(contract, name)?.reason,
      declaration: declaration === undefined ? undefined : describeDeclaration(contract, declaration),
      state,
      passed: resolved !== undefined,
      /** `file`: the program gets the path of a private file with the value. */
      delivery: resolved?.delivery,
      origin: resolved?.origin,
      /** The origins of hidden values, highest precedence first. */
      shadows: resolved?.shadowed ?? [],
      withheld: allOrigins.flatMap((origin) => {
        const why = reason({ name, origin });
        return why === undefined ? [] : [{ origin, why }];
      }),
      rules: rulesOf(name).map((rule) => ({
        kind: rule.kind,
        words: ruleWords(rule),
        met: !broken.has(identify(rule)),
        group: "names" in rule ? rule.group : undefined,
        serving: "names" in rule ? serving(rule.names, selected) : undefined,
      })),
      problems: problems.get(name)?.map(({ message, remedies }) => ({ message, remedies })) ?? [],
      /** The effect of --broker on it, also if the option is not given. */
      broker: broker.of(name),
      /** The effect of --refresh on it, also if the option is not given. */
      refresh: refresh.of(name),
      skipped: skipped.get(name)?.map(({ environment, why }) => ({ environment: printable(environment), why })) ?? [],
    };
  };
}

function describeDeclaration(contract: Contract, declaration: Declaration) {
  const { label, description, docs, aliases, deprecated } = declaration;
  const rotation = rotationOf(contract, declaration);
  return {
    label,
    description,
    format: formWords(declaration),
    docs,
    aliases: aliases.map((alias) => alias.name),
    deprecated,
    rotate: rotation === undefined ? undefined : intervalWords(rotation),
  };
}
