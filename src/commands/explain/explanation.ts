/**
 * Collects the facts about each variable: its state and source, what it hides, which rules it breaks, and what the program gets.
 * The result contains no value.
 */
import type { Start } from "../../resolve/start.ts";
import { declarationOf, isDeclared, findUsedVariable } from "../../contract/check-contract.ts";
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
import { createWithholdingRule } from "../../resolve/select.ts";
import { makeReport, type Report, type State, withoutUnrelatedContract } from "../../output/report.ts";
import { printable } from "../../core/text.ts";

export interface Explanation {
  readonly contract: Report["contract"];
  /** There is no contract, and the built-in one is not meant. */
  readonly isAbsent: boolean;
  readonly esc: Report["esc"];
  /** The variables that the user named, or all: first the declared ones by the chapters of the contract, then the others. */
  readonly chapters: readonly { readonly title: string; readonly variables: readonly VariableExplanation[] }[];
  /** The undeclared variables of the process environment, which are only counted. */
  readonly unlisted: { readonly passed: number; readonly withheld: number };
  readonly notices: readonly string[];
}

/** The options of a start that change what the program gets. */
interface StartEffects {
  readonly broker: BrokerExplainer;
  readonly refresh: RefreshExplainer;
}

export type VariableExplanation = ReturnType<ReturnType<typeof createExplainer>>;
export type RuleExplanation = VariableExplanation["rules"][number];

/**
 * Explains variables.
 *
 * @param names the variables that the user named; empty for all
 * @param listsAll undeclared variables of the process environment are listed as well (`--all`)
 * @throws SophiaError (125) for a name that neither the contract nor a source has
 */
export function createExplanation(
  givenStart: Start,
  names: readonly string[],
  listsAll: boolean,
  effects: StartEffects,
): Explanation {
  const start = withoutUnrelatedContract(givenStart);
  const {
    files: { contract },
    values: { resolution },
  } = start;
  const report = makeReport(start);
  const explain = createExplainer(start, report, effects);
  const addedNames = [...effects.broker.added, ...effects.refresh.added];
  const shared = { contract: report.contract, isAbsent: report.isAbsent, esc: report.esc, notices: report.notices };
  if (names.length > 0) {
    refuseUnknownVariables(names, start, addedNames);
    const variables = [...new Set(names)].map(explain);
    return { ...shared, chapters: [{ title: "", variables }], unlisted: { passed: 0, withheld: 0 } };
  }
  const allNames = new Set([...resolution.keys(), ...namesSkippedByEsc(start), ...addedNames]);
  const undeclaredNames = [...allNames].filter((name) => !contract.variables.has(name));
  const undeclared = undeclaredNames.toSorted().map(explain);
  const isListed = (variable: VariableExplanation): boolean => listsAll || isNoteworthy(variable);
  const isOutside = ({ name }: VariableExplanation): boolean => contract.scope?.outside.has(name) === true;
  const unlisted = undeclared.filter((variable) => !isListed(variable) && !isOutside(variable));
  const passedCount = unlisted.filter(({ passed }) => passed).length;
  return {
    ...shared,
    chapters: [
      ...chapters(contract).map(({ title, declarations }) => ({
        title,
        variables: declarations.map(({ name }) => explain(name)),
      })),
      {
        title: report.isAbsent ? "Variables" : "Not declared by the contract",
        variables: undeclared.filter((variable) => isListed(variable) && !isOutside(variable)),
      },
      { title: `Not in the scope ${contract.scope?.name ?? ""}`, variables: undeclared.filter(isOutside) },
    ].filter(({ variables }) => variables.length > 0),
    unlisted: { passed: passedCount, withheld: unlisted.length - passedCount },
  };
}

/** Returns true for an undeclared variable that more than the process environment is about. */
function isNoteworthy(variable: VariableExplanation): boolean {
  return (
    variable.aliasOf !== undefined ||
    variable.skipped.length > 0 ||
    variable.broker?.kind === "address" ||
    variable.refresh?.kind === "set" ||
    variable.refresh?.kind === "refused" ||
    originsOf(variable).some(({ source }) => source !== "environment")
  );
}

function originsOf({ origin, shadows, withheld }: VariableExplanation): readonly Origin[] {
  return [
    ...(origin === undefined ? [] : [origin]),
    ...[...shadows, ...withheld].map(({ origin: otherOrigin }) => otherOrigin),
  ];
}

/** Returns a function that explains one variable. What concerns all variables is computed only once. */
function createExplainer(start: Start, report: Report, { broker, refresh }: StartEffects) {
  const {
    files: { contract },
    values: { resolution, selected, selection },
    verdict: { violations },
  } = start;
  const states = new Map(report.variables.map(({ name, state }) => [name, state]));
  const reasonToWithhold = createWithholdingRule(selection, (name) => isDeclared(contract, name));
  const rulesOf = rulesByName(contract);
  // A group rule is identified by its name, since `--include` replaces it by a rule with fewer variables.
  const identify = (rule: Rule): Rule | string => ("group" in rule ? rule.group : rule);
  const brokenRules = new Set(
    violations.flatMap((violation) => ("rule" in violation ? [identify(violation.rule)] : [])),
  );
  // The report has a violation at the same index as the verdict. Only violations of a single variable are its problems.
  const problemsByName = grouped(
    report.violations.filter((_, index) => "name" in (violations[index] ?? {})),
    ({ names }) => names[0],
  );
  const skippedByName = grouped(
    start.verdict.notices.flatMap((notice) =>
      notice.kind === "esc-skipped" ? notice.names.map((name) => ({ ...notice, name })) : [],
    ),
    ({ name }) => name,
  );

  return (name: string) => {
    const declaration = contract.variables.get(name);
    const winner = resolution.get(name);
    const resolved = selected.get(name);
    const isDeclaredSecret = isSecret(contract, { name, secret: winner?.secret ?? false });
    const secret = isDeclaredSecret || (winner !== undefined && isHidden(contract, winner));
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
      /** `masked`: `--redact` masks the value; otherwise the reason why it does not. Undefined without a value. */
      masking,
      /** Describes the credential in the value that makes it a secret although nothing declares it secret, or would do so without `reason`. */
      credential:
        winner === undefined || isDeclaredSecret || winner.origin.source === "contract"
          ? undefined
          : credentialIn(winner.value),
      /** The contract's reason why the value is public. */
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
        const why = reasonToWithhold({ name, origin });
        return why === undefined ? [] : [{ origin, why }];
      }),
      rules: rulesOf(name).map((rule) => ({
        kind: rule.kind,
        words: ruleWords(rule),
        met: !brokenRules.has(identify(rule)),
        group: "names" in rule ? rule.group : undefined,
        serving: "names" in rule ? findUsedVariable(rule.names, selected) : undefined,
      })),
      problems: problemsByName.get(name)?.map(({ message, remedies }) => ({ message, remedies })) ?? [],
      /** The effect of --broker on the variable. Without the option: the effect that it would have. */
      broker: broker.explain(name),
      /** The effect of --refresh on the variable. Without the option: the effect that it would have. */
      refresh: refresh.explain(name),
      skipped:
        skippedByName.get(name)?.map(({ environment, why }) => ({ environment: printable(environment), why })) ?? [],
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
