import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restrictToScope, restrictContract } from "../../src/contract/scope.ts";
import { contractDocuments } from "./arbitrary-contracts.ts";
import { summarizeViolations, findViolations, contractOf, catchFailure, resolutionOf } from "./contracts.ts";

const contract = contractOf({
  variables: {
    A: { required: true, aliases: [{ name: "OLD_A", deprecated: true }] },
    B: { required: { when: "A" } },
    C: {},
    D: {},
    E: { default: "e" },
  },
  groups: {
    pair: { rule: "one-of", variables: ["C", "D"] },
    all: { rule: "all-or-none", variables: ["C", "E"] },
  },
  sections: [
    { title: "First", lines: ["A", "pair"] },
    { title: "Second", lines: ["B", "E"] },
  ],
  scopes: { web: ["A", "pair"], worker: ["B", "D"] },
});

describe("a contract in a scope", () => {
  it("has the variables of the scope and of its groups, and knows which variables are outside", () => {
    const web = restrictToScope(contract, "web", "c.json");
    expect([...web.variables.keys()]).toStrictEqual(["A", "C", "D"]);
    expect(web.scope).toStrictEqual({ name: "web", outside: new Set(["B", "E"]) });
    expect(web.sections.map(({ title }) => title)).toStrictEqual(["First"]);
    expect(summarizeViolations(findViolations(web, resolutionOf({})))).toStrictEqual(["missing A", "none-set pair"]);
    // E is outside of this process's scope, so the group need not be completed.
    expect(summarizeViolations(findViolations(web, resolutionOf({ A: "1", C: "1" })))).toStrictEqual([]);
  });

  it("keeps the members of a group that belong to the scope, and never meets a condition on a variable outside", () => {
    const worker = restrictToScope(contract, "worker", "c.json");
    expect(worker.scope?.outside).toStrictEqual(new Set(["A", "C", "E", "OLD_A"]));
    expect(worker.aliases.size + worker.deprecated.size).toBe(0);
    expect(worker.sections).toMatchObject([{ lines: [{ kind: "group", names: ["D"] }] }, { lines: [{ name: "B" }] }]);
    expect(summarizeViolations(findViolations(worker, resolutionOf({})))).toStrictEqual(["none-set pair"]);
    expect(summarizeViolations(findViolations(worker, resolutionOf({ D: "1" })))).toStrictEqual([]);
  });

  it("is refused if the contract does not have that scope", async () => {
    expect(await catchFailure(() => restrictToScope(contract, "wokrer", "c.json"))).toMatchObject({
      code: "contract-scope",
      status: 125,
      message: expect.stringContaining('"wokrer"'),
      hint: expect.stringContaining("worker?"),
    });
    expect(await catchFailure(() => restrictToScope(contractOf({ variables: {} }), "web", "c.json"))).toMatchObject({
      hint: expect.stringContaining("SOPHIA_SCOPE"),
    });
  });
});

describe("a restricted contract", () => {
  it("is the contract itself if all variables are kept, and requires nothing if none is", () => {
    fc.assert(
      fc.property(contractDocuments, (document) => {
        const whole = contractOf(document);
        expect(restrictContract(whole, () => true)).toStrictEqual(whole);
        const none = restrictContract(whole, () => false);
        expect([none.variables.size, none.rules, none.sections]).toStrictEqual([0, [], []]);
      }),
    );
  });
});
