/**
 * Finds the variables that must still be set to meet the contract, and creates dummy values for them (`--fake`). So tests,
 * previews and coding agents can start a program without its secrets.
 */
import { groupBy } from "../core/group-by.ts";
import type { Layer, Resolution, ResolvedVariable } from "../core/model.ts";
import { checkRule } from "./check-contract.ts";
import type { Contract, Declaration, Rule, RuleViolation } from "./contract-model.ts";
import { createDummyValue } from "./dummy-value.ts";
import { choosePreferredVariable } from "./remedies.ts";

/**
 * Returns dummy values for the variables that a resolution lacks. A value depends only on the declaration of its
 * variable, so that each start gets the same one.
 *
 * @param isExcluded returns true for a variable that gets no dummy value
 * @throws SophiaError (fake-value, 125) if no value of the declared format can be generated
 */
export function createDummyLayer(
  contract: Contract,
  resolution: Resolution,
  isExcluded: (name: string) => boolean = () => false,
): Layer {
  const completed = new Map<string, ResolvedVariable>(resolution);
  const dummies = new Map<string, ResolvedVariable>();
  const dependentRules = groupBy(contract.rules.flatMap(listDependencies), ({ name }) => name);
  // A dummy can meet a condition, which then requires further variables. So rules are checked until no dummy is added.
  let rulesToCheck: Iterable<Rule> = contract.rules;
  for (;;) {
    const missing = Array.from(rulesToCheck).flatMap((rule) =>
      listNamesToSet(checkRule(rule, completed), contract, isExcluded),
    );
    const names = new Set(missing.filter((name) => !dummies.has(name) && !isExcluded(name)));
    if (names.size === 0) return { source: "fake", variables: Array.from(dummies.values()) };
    for (const name of names) {
      const declaration = contract.variables.get(name);
      if (declaration === undefined) continue;
      const dummy = createDummy(declaration);
      dummies.set(name, dummy);
      completed.set(name, dummy);
    }
    const affected = Array.from(names).flatMap((name) => dependentRules.get(name) ?? []);
    rulesToCheck = new Set(affected.map(({ rule }) => rule));
  }
}

function createDummy(declaration: Declaration): ResolvedVariable {
  const { name, secret, as: delivery = "value" } = declaration;
  return { name, value: createDummyValue(declaration), secret, origin: { source: "fake" }, delivery };
}

/** Returns the variables whose values decide what a rule requires, each with the rule. */
function listDependencies(rule: Rule): readonly { readonly name: string; readonly rule: Rule }[] {
  const names = "names" in rule ? rule.names : rule.kind === "required-when" ? [rule.when.name] : [];
  return names.map((name) => ({ name, rule }));
}

/** Returns the variables that must be set so that a rule is met. */
function listNamesToSet(
  violation: RuleViolation | undefined,
  contract: Contract,
  isExcluded: (name: string) => boolean,
): readonly string[] {
  switch (violation?.kind) {
    case "missing":
    case "missing-when":
      return [violation.name];
    case "none-set": {
      const candidates = violation.rule.names.filter((candidate) => !isExcluded(candidate));
      const name = choosePreferredVariable(candidates, contract);
      return name === undefined ? [] : [name];
    }
    case "some-missing":
      return violation.missing;
    // Too many variables are set: adding one does not help.
    case "several-set":
    case undefined:
      return [];
  }
}
