import { describe, expect, it } from "vitest";
import { isDeclared, findUsedVariable } from "../../src/contract/check-contract.ts";
import type { ResolvedVariable } from "../../src/core/model.ts";
import { summarizeViolations, findViolations, contractOf, resolutionOf, createResolvedVariable } from "./contracts.ts";

const contractWithGroup = (rule: string): object => ({
  variables: { A: {}, B: {}, C: {} },
  groups: { g: { rule, variables: ["A", "B", "C"] } },
});

describe("checkContract", () => {
  it.each([
    ["required, set", { variables: { A: { required: true } } }, { A: "x" }, []],
    ["required, unset", { variables: { A: { required: true } } }, {}, ["missing A"]],
    ["required, empty", { variables: { A: { required: true } } }, { A: "" }, ["missing A"]],
    ["required, blank", { variables: { A: { required: true } } }, { A: " " }, ["missing A"]],
    ["required, without width", { variables: { A: { required: true } } }, { A: "\u200B\u2060" }, ["missing A"]],
    ["one-of, blank and set", contractWithGroup("one-of"), { A: " ", C: "x" }, []],
    ["optional, unset", { variables: { A: {} } }, {}, []],
    ["one-of, none", contractWithGroup("one-of"), {}, ["none-set g"]],
    ["one-of, last", contractWithGroup("one-of"), { C: "x" }, []],
    ["one-of, several", contractWithGroup("one-of"), { A: "x", C: "x" }, []],
    ["at-least-one, none", contractWithGroup("at-least-one"), { D: "x" }, ["none-set g"]],
    ["at-least-one, one", contractWithGroup("at-least-one"), { B: "x" }, []],
    ["exactly-one, none", contractWithGroup("exactly-one"), {}, ["none-set g"]],
    ["exactly-one, one", contractWithGroup("exactly-one"), { B: "x" }, []],
    ["exactly-one, two", contractWithGroup("exactly-one"), { B: "x", C: "y" }, ["several-set g: B C"]],
    ["exactly-one, an empty one beside", contractWithGroup("exactly-one"), { B: "x", C: "" }, []],
    ["all-or-none, none", contractWithGroup("all-or-none"), {}, []],
    ["all-or-none, all", contractWithGroup("all-or-none"), { A: "x", B: "x", C: "x" }, []],
    ["all-or-none, some", contractWithGroup("all-or-none"), { B: "x" }, ["some-missing g: A C"]],
    ["optional group", contractWithGroup("optional"), {}, []],
  ])("reports the expected violations for this rule and these values: %s", (_, document, values, expected) => {
    expect(summarizeViolations(findViolations(contractOf(document), resolutionOf(values)))).toStrictEqual(expected);
  });

  it.each([
    ["set", "A", {}, []],
    ["set", "A", { A: "x" }, ["missing-when B"]],
    ["set", "A", { A: "x", B: "y" }, []],
    ["set to nothing", "A", { A: "" }, []],
    ["equal", { when: "A", equals: "on" }, { A: "on" }, ["missing-when B"]],
    ["not equal", { when: "A", equals: "on" }, { A: "ON" }, []],
    ["one of several", { when: "A", equals: ["on", "yes"] }, { A: "yes" }, ["missing-when B"]],
    ["none of several", { when: "A", equals: ["on", "yes"] }, { A: "no" }, []],
  ])("requires a variable on the condition that another is set, here %s", (_, when, values, expected) => {
    const required = typeof when === "string" ? { when } : when;
    const contract = contractOf({ variables: { A: { secret: false }, B: { required } } });
    expect(summarizeViolations(findViolations(contract, resolutionOf(values)))).toStrictEqual(expected);
  });

  it("treats a default as set, but not as the user's choice among a group", () => {
    const origin = { source: "contract", file: "sophia.contract.json" } as const;
    const withDefault = (name: string): readonly [string, ResolvedVariable] => [
      name,
      createResolvedVariable(name, "x", origin),
    ];
    const check = (rule: string, values: Readonly<Record<string, string>>): readonly string[] =>
      summarizeViolations(
        findViolations(contractOf(contractWithGroup(rule)), new Map([withDefault("C"), ...resolutionOf(values)])),
      );
    expect(check("exactly-one", {})).toStrictEqual([]);
    expect(check("exactly-one", { A: "x" })).toStrictEqual([]);
    expect(check("exactly-one", { A: "x", B: "x" })).toStrictEqual(["several-set g: A B"]);
    expect(check("all-or-none", {})).toStrictEqual([]);
    expect(check("all-or-none", { A: "x", B: "x" })).toStrictEqual([]);
    expect(check("all-or-none", { A: "x" })).toStrictEqual(["some-missing g: B"]);
    expect(check("one-of", {})).toStrictEqual([]);
  });

  it("reports a placeholder instead of a wrong format, so that each value has one violation", () => {
    const contract = contractOf({ variables: { A: { required: true, format: "url" }, B: { format: "port" } } });
    expect(summarizeViolations(findViolations(contract, resolutionOf({ A: "changeme", B: "changeme" })))).toStrictEqual(
      ["placeholder A", "malformed B not-port"],
    );
  });

  it("does not check a file's content against the format, because the program gets a path", () => {
    const contract = contractOf({ variables: { A: { required: true, format: "port" } } });
    const file: ResolvedVariable = {
      ...createResolvedVariable("A", "<content>", { source: "environment" }),
      delivery: "file",
    };
    expect(findViolations(contract, new Map([["A", file]]))).toStrictEqual([]);
  });

  it("works for names that objects inherit", () => {
    const document: unknown = JSON.parse(
      '{"variables":{"__proto__":{"required":true},"constructor":{"required":true}}}',
    );
    const contract = contractOf(document);
    expect(summarizeViolations(findViolations(contract, new Map()))).toStrictEqual([
      "missing __proto__",
      "missing constructor",
    ]);
    expect(isDeclared(contract, "__proto__")).toBe(true);
    expect(isDeclared(contract, "toString")).toBe(false);
  });
});

describe("findUsedVariable", () => {
  it("returns the first variable that is set, in the order of preference", () => {
    expect(findUsedVariable(["A", "B", "C"], resolutionOf({ C: "x", B: "y", A: "" }))).toBe("B");
    expect(findUsedVariable(["A"], resolutionOf({}))).toBeUndefined();
  });
});

describe("isDeclared", () => {
  it("returns true for aliases, too", () => {
    const contract = contractOf({ variables: { A: { aliases: ["OLD"] } } });
    expect(["A", "OLD", "B"].map((name) => isDeclared(contract, name))).toStrictEqual([true, true, false]);
  });
});
