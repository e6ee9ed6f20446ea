import { describe, expect, it } from "vitest";
import { createDummyLayer } from "../../src/contract/fake.ts";
import type { ResolvedVariable } from "../../src/core/model.ts";
import { findViolations, contractOf, createResolvedVariable } from "./contracts.ts";

/** A resolution that counts how often it is asked for a variable. */
class CountedResolution extends Map<string, ResolvedVariable> {
  questions = 0;

  override get(name: string): ResolvedVariable | undefined {
    this.questions += 1;
    return super.get(name);
  }
}

/**
 * Checks a contract with this many rules, of each kind in turn, against a resolution of five times as many variables.
 * Returns how often the resolution was asked.
 */
function questionsFor(rules: number): number {
  const kinds = ["one-of", "exactly-one", "at-least-one", "all-or-none"];
  const variables: Record<string, object> = {};
  const groups: Record<string, object> = {};
  for (let index = 0; index < rules; index++) {
    const names = [0, 1, 2].map((member) => `VARIABLE_${index}_${member}`);
    for (const name of names) variables[name] = { format: "url" };
    if (index % 5 === 4) variables[`VARIABLE_${index}_0`] = { required: { when: `VARIABLE_${index - 1}_0` } };
    else groups[`g-${index}`] = { rule: kinds[index % 5], variables: names };
  }
  const contract = contractOf({ variables, groups });
  const resolution = new CountedResolution();
  for (let index = 0; index < 5 * rules; index++) {
    const name = `VARIABLE_${index % rules}_${Math.floor(index / rules)}`;
    resolution.set(name, createResolvedVariable(name, "https://host", { source: "environment" }));
  }
  resolution.questions = 0;
  expect(findViolations(contract, resolution).length).toBeGreaterThan(rules / 10);
  return resolution.questions;
}

describe("the cost", () => {
  it("of a check grows linearly with the contract, and not with the other variables that are set", () => {
    const small = questionsFor(100);
    expect(questionsFor(1000)).toBe(small * 10);
  });

  // In quadratic time this would take longer than a test may take.
  it("of dummy values grows linearly with a chain of conditions", () => {
    const variables = Array.from({ length: 20_000 }, (_, index) => {
      return [`V${index}`, { required: index === 0 ? true : { when: `V${index - 1}` } }] as const;
    });
    const contract = contractOf({ variables: Object.fromEntries(variables) });
    expect(
      createDummyLayer(contract, new Map())
        .variables.map(({ name }) => name)
        .join(),
    ).toBe(variables.map(([name]) => name).join());
  });

  it("of a chain of profiles grows linearly with their number", () => {
    const profiles = Array.from({ length: 8000 }, (_, index) => {
      const base = index === 0 ? {} : { extends: `p${index - 1}` };
      return [`p${index}`, { ...base, variables: { [`V${index}`]: {} } }] as const;
    });
    const contract = contractOf({ variables: { A: {} }, profiles: Object.fromEntries(profiles) }, "p7999");
    expect(contract.variables.has("V0") && contract.variables.has("V7999")).toBe(true);
  });

  // If each profile examined the rules of all keys, this would take longer than a test may take.
  it("of broker members grows with the sum of the profiles and the rules, not with their product", () => {
    const broker = (index: number) => ({
      upstream: "https://host.test",
      headers: ["api-key"],
      base: { [`BASE_${index}`]: "" },
      allow: Array.from({ length: 100 }, (_, rule) => `GET /${rule}`),
    });
    const variables = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`K${index}`, { broker: broker(index) }]),
    );
    const profiles = Array.from(
      { length: 10_000 },
      (_, index) => [`p${index}`, { variables: { K1: { label: "One" } } }] as const,
    );
    const contract = contractOf({ variables, profiles: Object.fromEntries(profiles) }, "p9999");
    expect(contract.variables.get("K1")?.label).toBe("One");
  });
});
