import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyContract } from "../../src/contract/apply.ts";
import { isDeclared } from "../../src/contract/check-contract.ts";
import type { Layer, Origin } from "../../src/core/model.ts";
import { sortByPrecedence, resolveLayers } from "../../src/resolve/precedence.ts";
import { contractOf } from "./contracts.ts";

const environment: Origin = { source: "environment" };
const esc: Origin = { source: "esc", environment: "acme/sophia/dev" };
const createLayer = (origin: Origin, variables: Readonly<Record<string, string>>): Layer => ({
  source: origin.source,
  variables: Object.entries(variables).map(([name, value]) => ({
    name,
    value,
    secret: true,
    origin,
    delivery: "value",
  })),
});
const contract = contractOf({
  variables: {
    TOKEN: { aliases: ["TOKEN_2", { name: "OLD_TOKEN", deprecated: true }] },
    LEVEL: { default: "info" },
    LEGACY: { deprecated: "TOKEN" },
  },
});
/** Returns the values that a program gets. It goes from layers to values as a start does. */
const applyToLayers = (...layers: readonly Layer[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(
      resolveLayers(sortByPrecedence(applyContract(contract, layers).layers, "environment"), (name) =>
        isDeclared(contract, name),
      ),
      ([name, { value }]) => [name, value],
    ),
  );

describe("a variable's aliases", () => {
  it.each([
    [
      "give their value to the variable's own name, and remain set",
      [{ OLD_TOKEN: "a" }],
      { OLD_TOKEN: "a", TOKEN: "a" },
    ],
    [
      "are overridden by the variable's own name in the same source",
      [{ OLD_TOKEN: "a", TOKEN: "b" }],
      { OLD_TOKEN: "a", TOKEN: "b" },
    ],
    [
      "replace the value of the variable's own name if that is empty",
      [{ OLD_TOKEN: "a", TOKEN: "" }],
      { OLD_TOKEN: "a", TOKEN: "a" },
    ],
    ["give no value if they are empty", [{ OLD_TOKEN: "" }], {}],
    [
      "give the value of the first alias if several are set",
      [{ OLD_TOKEN: "a", TOKEN_2: "b" }],
      { OLD_TOKEN: "a", TOKEN_2: "b", TOKEN: "a" },
    ],
    ["have the precedence of their source", [{ OLD_TOKEN: "a" }, { TOKEN: "b" }], { OLD_TOKEN: "a", TOKEN: "a" }],
    [
      "are overridden by a source of higher precedence",
      [{ TOKEN: "a" }, { OLD_TOKEN: "b" }],
      { OLD_TOKEN: "b", TOKEN: "a" },
    ],
  ])("%s", (_, [high = {}, low = {}], expected) => {
    expect(applyToLayers(createLayer(environment, high), createLayer(esc, low))).toStrictEqual({
      ...expected,
      LEVEL: "info",
    });
  });

  it("keep the origin, secrecy and delivery of the value, and the value records the alias", () => {
    const origin: Origin = { source: "esc", environment: "acme/sophia/dev" };
    const file = { name: "OLD_TOKEN", value: "a", secret: false, origin, delivery: "file" } as const;
    const [applied] = applyContract(contract, [{ source: "esc", variables: [file] }]).layers;
    expect(applied?.variables).toStrictEqual([
      file,
      { ...file, name: "TOKEN", origin: { ...origin, alias: "OLD_TOKEN" } },
    ]);
  });
});

describe("a variable's default", () => {
  it("is in the lowest layer, has the contract as its origin, and is public", () => {
    const { layers } = applyContract(contract, [createLayer(environment, {})]);
    expect(layers.at(-1)).toStrictEqual({
      source: "contract",
      variables: [
        {
          name: "LEVEL",
          value: "info",
          secret: false,
          origin: { source: "contract", file: "/repository/sophia.contract.json" },
          delivery: "value",
        },
      ],
    });
    expect(applyToLayers(createLayer(environment, { LEVEL: "debug" }))).toStrictEqual({ LEVEL: "debug" });
    expect(applyToLayers(createLayer(environment, { LEVEL: "" }))).toStrictEqual({ LEVEL: "info" });
  });
});

describe("a deprecated name", () => {
  it("gives one notice when it is set", () => {
    const { notices } = applyContract(contract, [
      createLayer(environment, { OLD_TOKEN: "a", TOKEN_2: "b" }),
      createLayer(esc, { OLD_TOKEN: "c", LEGACY: "d" }),
    ]);
    expect(notices).toStrictEqual([
      { kind: "deprecated", name: "OLD_TOKEN", use: "TOKEN" },
      { kind: "deprecated", name: "LEGACY", use: "TOKEN" },
    ]);
    expect(applyContract(contract, [createLayer(environment, { OLD_TOKEN: "", LEGACY: "" })]).notices).toStrictEqual(
      [],
    );
  });
});

describe("applyContract", () => {
  it("returns the same layers if the contract has nothing to add", () => {
    const plain = contractOf({ variables: { A: {} } });
    const layers = [createLayer(environment, { A: "a", B: "" })];
    expect(applyContract(plain, layers)).toStrictEqual({ layers, notices: [] });
    expect(applyContract(plain, layers).layers).toBe(layers);
  });

  it("changes no value that is set, adds only declared names, and changes nothing the second time", () => {
    const names = fc.constantFrom("TOKEN", "TOKEN_2", "OLD_TOKEN", "LEVEL", "LEGACY", "OTHER");
    const anyLayer = fc
      .tuple(fc.constantFrom(environment, esc), fc.dictionary(names, fc.constantFrom("", "a", "b")))
      .map(([origin, content]) => createLayer(origin, content));
    fc.assert(
      fc.property(fc.array(anyLayer, { maxLength: 4 }), (layers) => {
        const { layers: applied } = applyContract(contract, layers);
        expect(applied).toHaveLength(layers.length + 1);
        for (const [index, { variables }] of layers.entries()) {
          const after = applied[index]?.variables ?? [];
          const by = new Map(after.map((variable) => [variable.name, variable]));
          expect(by.size).toBe(after.length);
          for (const variable of variables) {
            const expected = variable.value === "" ? { name: variable.name } : variable;
            expect(by.get(variable.name)).toMatchObject(expected);
          }
          const before = new Set(variables.map(({ name }) => name));
          expect(after.filter(({ name }) => !before.has(name) && name !== "TOKEN")).toStrictEqual([]);
        }
        expect(applyContract(contract, applied.slice(0, -1)).layers).toStrictEqual(applied);
      }),
    );
  });
});
