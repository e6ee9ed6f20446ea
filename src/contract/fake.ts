/**
 * Adds dummy values to the variables of a start until they meet the contract (`--fake`), for tests, previews and agents without
 * secrets. The code has no side effects.
 */
import { grouped } from "../core/grouped.ts";
import type { Layer, Resolution, Resolved } from "../core/model.ts";
import { checkRule } from "./check-contract.ts";
import type { Contract, Rule, RuleViolation } from "./contract-model.ts";
import { dummyValue } from "./dummy-value.ts";
import { preferredVariable } from "./remedies.ts";

/**
 * Returns the dummy values of the variables that a resolution lacks to meet the contract. A value depends only on the
 * declaration of its variable.
 *
 * @param isExcluded returns true for a variable that gets no dummy value
 * @throws SophiaError (fake-value, 125) if no value of the declared format can be generated
 */
export function fakeLayer(
  contract: Contract,
  resolution: Resolution,
  isExcluded: (name: string) => boolean = () => false,
): Layer {
  const complete = new Map<string, Resolved>(resolution);
  const added = new Map<string, Resolved>();
  const rulesByName = grouped(contract.rules.flatMap(namesOfRule), ({ name }) => name);
  // An added value can make a condition true, and so require further variables: rules are checked until nothing is added.
  let rules: Iterable<Rule> = contract.rules;
  for (;;) {
    const missing = Array.from(rules).flatMap((rule) => namesToSet(checkRule(rule, complete), contract, isExcluded));
    const names = new Set(missing.filter((name) => !added.has(name) && !isExcluded(name)));
    if (names.size === 0) return { source: "fake", variables: Array.from(added.values()) };
    for (const name of names) {
      const declaration = contract.variables.get(name);
      if (declaration === undefined) continue;
      const value = dummyValue(declaration);
      const { secret, as: delivery = "value" } = declaration;
      const fake: Resolved = { name, value, secret, origin: { source: "fake" }, delivery };
      added.set(name, fake);
      complete.set(name, fake);
    }
    const affectedRules = Array.from(names).flatMap((name) => rulesByName.get(name) ?? []);
    rules = new Set(affectedRules.map(({ rule }) => rule));
  }
}

/** Returns the variables of which a new value can change what a rule requires, each with the rule. */
function namesOfRule(rule: Rule): readonly { readonly name: string; readonly rule: Rule }[] {
  const names = "names" in rule ? rule.names : rule.kind === "required-when" ? [rule.when.name] : [];
  return names.map((name) => ({ name, rule }));
}

/** Returns the variables to set so that a rule is met. */
function namesToSet(
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
      const name = preferredVariable(candidates, contract);
      return name === undefined ? [] : [name];
    }
    case "some-missing":
      return violation.missing;
    case "several-set":
    case undefined:
      return [];
  }
}
