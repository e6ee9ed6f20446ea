import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { applyContract } from "../../src/contract/apply.ts";
import { describeViolations } from "../../src/contract/violation-wording.ts";
import { resolveLayers } from "../../src/resolve/precedence.ts";
import { summarizeViolations, findViolations, contractOf, catchFailure, resolutionOf } from "./contracts.ts";

const sentinel = "Sentinel7f3a";

type Case = readonly [document: unknown, values: Readonly<Record<string, string>>, violation: string];

function malformedCase(format: unknown, fault: string, value = sentinel): Case {
  return [{ variables: { A: { format } } }, { A: value }, `malformed A ${fault}`];
}

/** For each way to violate a rule: the contract, the values that violate it, and the violation. */
const cases: readonly Case[] = [
  malformedCase("url", "not-url"),
  malformedCase({ type: "url", schemes: ["https"] }, "scheme", `ftp://${sentinel}`),
  malformedCase("integer", "not-integer"),
  malformedCase("number", "not-number"),
  malformedCase("boolean", "not-boolean"),
  malformedCase("port", "not-port"),
  malformedCase("json", "not-json"),
  malformedCase("base64", "not-base64", `${sentinel}!`),
  malformedCase("email", "not-email"),
  malformedCase({ type: "enum", values: ["a", "b"] }, "not-in-enum"),
  malformedCase({ type: "text", prefix: "sk-" }, "prefix"),
  malformedCase({ type: "text", minLength: 100 }, "too-short"),
  malformedCase({ type: "text", pattern: "[0-9]+" }, "pattern"),
  [{ variables: { A: {} } }, { A: `<${sentinel}>` }, "placeholder A"],
  [{ variables: { A: { example: `x<${sentinel}>` } } }, { A: `y<${sentinel}>` }, "placeholder A"],
  [{ variables: { A: { example: sentinel } } }, { A: sentinel }, "placeholder A"],
  [{ variables: { A: {} } }, { A: `op://${sentinel}/item/field` }, "reference A"],
  [{ variables: { A: {} } }, { A: `ref+vault://${sentinel}#/key` }, "reference A"],
  [{ variables: { A: {}, B: { required: { when: "A" } } } }, { A: sentinel }, "missing-when B"],
  [
    { variables: { A: {}, B: {} }, groups: { g: { rule: "exactly-one", variables: ["A", "B"] } } },
    { A: sentinel, B: sentinel },
    "several-set g: A B",
  ],
  [
    { variables: { A: {}, B: {} }, groups: { g: { rule: "all-or-none", variables: ["A", "B"] } } },
    { A: sentinel },
    "some-missing g: B",
  ],
  [{ variables: { TOKEN: { required: true } } }, { TOKNE: sentinel }, "missing TOKEN"],
  [
    { variables: { TOKEN: {}, OTHER: {} }, groups: { g: { rule: "one-of", variables: ["TOKEN", "OTHER"] } } },
    { TOKNE: sentinel },
    "none-set g",
  ],
];

describe("no value is shown", () => {
  it.each(cases)("by the violations of the contract %j", (document, values, expected) => {
    const contract = contractOf(document);
    const violations = findViolations(contract, resolutionOf(values));
    expect(summarizeViolations(violations)).toStrictEqual([expected]);
    for (const context of [
      { defaultTarget: { kind: "local" } },
      { defaultTarget: { kind: "esc", environment: "acme/sophia/dev" } },
      {
        defaultTarget: { kind: "environment" },
        origins: resolutionOf(values),
        describeWithholding: () => "withheld by --exclude",
      },
    ] as const) {
      const wordings = describeViolations(violations, contract, { presentNames: Object.keys(values), ...context });
      expect(JSON.stringify(wordings)).not.toContain(sentinel);
    }
    expect(inspect(violations, { depth: Infinity })).not.toContain(sentinel);
  });

  it("by a notice about a deprecated name", () => {
    const contract = contractOf({ variables: { A: { aliases: [{ name: "OLD", deprecated: true }] } } });
    const origin = { source: "environment" } as const;
    const variable = { name: "OLD", value: sentinel, secret: true, origin, delivery: "value" } as const;
    const { layers, notices } = applyContract(contract, [{ source: "environment", variables: [variable] }]);
    expect(resolveLayers(layers, () => true).get("A")?.value).toBe(sentinel);
    expect(notices).toHaveLength(1);
    expect(inspect(notices, { depth: Infinity })).not.toContain(sentinel);
  });

  it.each([
    { variables: { A: { default: sentinel, secret: true } } },
    { variables: { A: { default: sentinel, format: "port" } } },
    { variables: { A: { default: sentinel, format: { type: "enum", values: ["a"] } } } },
    { variables: { A: { docs: sentinel } } },
    { variables: { A: { label: `${sentinel}\n` } } },
    { variables: { A: { rotateEvery: sentinel } } },
    { variables: { A: { secret: sentinel, required: sentinel, aliases: [`${sentinel} `] } } },
    { variables: { A: {}, B: { required: { when: "A", equals: sentinel } } } },
    { variables: { A: { format: { type: "enum", values: ["a"] } }, B: { required: { when: "A", equals: sentinel } } } },
    { variables: { A: { format: { type: "text", pattern: `${sentinel}(` } } } },
  ])("by the faults of the contract %j", async (document) => {
    const failure = await catchFailure(() => contractOf(document));
    expect(failure.code).toBe("contract-invalid");
    expect(inspect(failure, { depth: Infinity })).not.toContain(sentinel);
  });
});
