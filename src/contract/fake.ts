/**
 * Finds the variables that must still be set to meet the contract, and creates dummy values for them. So tests, previews
 * and coding agents can start a program without its secrets:
 *
 *     sophia-run --fake -- npm test
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
  const completedResolution = new Map<string, ResolvedVariable>(resolution);
  const dummies = new Map<string, ResolvedVariable>();
  const dependentRules = groupBy(contract.rules.flatMap(listDependencies), ({ name }) => name);
  // A dummy can meet a condition, which then requires further variables. So rules are checked until no dummy is added.
  // The first round checks all rules, and each later round those whose result the last dummies may have changed.
  let rulesToCheck: Iterable<Rule> = contract.rules;
  for (;;) {
    const missingNames = Array.from(rulesToCheck).flatMap((rule) =>
      listNamesToSet(checkRule(rule, completedResolution), contract, isExcluded),
    );
    const namesForDummies = new Set(missingNames.filter((name) => !dummies.has(name) && !isExcluded(name)));
    if (namesForDummies.size === 0) return { source: "fake", variables: Array.from(dummies.values()) };
    for (const name of namesForDummies) {
      const declaration = contract.variables.get(name);
      if (declaration === undefined) continue;
      const dummy = createDummy(declaration);
      dummies.set(name, dummy);
      completedResolution.set(name, dummy);
    }
    const affectedRules = Array.from(namesForDummies).flatMap((name) => dependentRules.get(name) ?? []);
    rulesToCheck = new Set(affectedRules.map(({ rule }) => rule));
  }
}

function createDummy(declaration: Declaration): ResolvedVariable {
  const { name, secret, as: delivery = "value" } = declaration;
  return { name, value: createDummyValue(declaration), secret, origin: { source: "fake" }, delivery };
}

/** Returns the variables whose values decide what a rule requires of variables, each with the rule. */
function listDependencies(rule: Rule): readonly { readonly name: string; readonly rule: Rule }[] {
  if ("names" in rule) return rule.names.map((name) => ({ name, rule }));
  return rule.kind === "required-when" ? [{ name: rule.when.name, rule }] : [];
}

/**
 * Returns the variables that must be set so that a violation ends. The result may have excluded variables. For a group of
 * which one variable is enough, this function chooses a variable that is not excluded.
 */
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
    // Too many variables are set, so that a dummy does not help.
    case "several-set":
    case undefined:
      return [];
  }
}
