import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyContract } from "../../src/contract/apply.ts";
import { isDeclared } from "../../src/contract/check-contract.ts";
import type { Layer, Origin } from "../../src/core/model.ts";
import { inPrecedence, resolveLayers } from "../../src/resolve/precedence.ts";
import { contractOf } from "./contracts.ts";

const environment: Origin = { source: "environment" };
const esc: Origin = { source: "esc", environment: "acme/sophia/dev" };
const layer = (origin: Origin, values: Readonly<Record<string, string>>): Layer => ({
  source: origin.source,
  variables: Object.entries(values).map(([name, value]) => ({ name, value, secret: true, origin, delivery: "value" })),
});
const contract = contractOf({
  variables: {
    TOKEN: { aliases: ["TOKEN_2", { name: "OLD_TOKEN", deprecated: true }] },
    LEVEL: { default: "info" },
    LEGACY: { deprecated: "TOKEN" },
  },
});
/** What a program gets: the way from layers to values as a run goes it. */
const values = (...layers: readonly Layer[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(
      resolveLayers(inPrecedence(applyContract(contract, layers).layers, "environment"), (name) =>
        isDeclared(contract, name),
      ),
      ([name, { value }]) => [name, value],
    ),
  );

describe("aliases", () => {
  it.each([
    ["give their value to the own name and stay", [{ OLD_TOKEN: "a" }], { OLD_TOKEN: "a", TOKEN: "a" }],
    ["give way to the own name in the same source", [{ OLD_TOKEN: "a", TOKEN: "b" }], { OLD_TOKEN: "a", TOKEN: "b" }],
    ["stand in for an own name that is empty", [{ OLD_TOKEN: "a", TOKEN: "" }], { OLD_TOKEN: "a", TOKEN: "a" }],
    ["that are empty give nothing", [{ OLD_TOKEN: "" }], {}],
    ["the first of several counts", [{ OLD_TOKEN: "a", TOKEN_2: "b" }], { OLD_TOKEN: "a", TOKEN_2: "b", TOKEN: "a" }],
    ["keep their source's precedence", [{ OLD_TOKEN: "a" }, { TOKEN: "b" }], { OLD_TOKEN: "a", TOKEN: "a" }],
    ["yield to a higher source", [{ TOKEN: "a" }, { OLD_TOKEN: "b" }], { OLD_TOKEN: "b", TOKEN: "a" }],
  ])("%s", (_, [high = {}, low = {}], expected) => {
    expect(values(layer(environment, high), layer(esc, low))).toStrictEqual({ ...expected, LEVEL: "info" });
  });

  it("keep origin, secrecy and delivery, and record the alias", () => {
    const origin: Origin = { source: "esc", environment: "acme/sophia/dev" };
    const file = { name: "OLD_TOKEN", value: "a", secret: false, origin, delivery: "file" } as const;
    const [applied] = applyContract(contract, [{ source: "esc", variables: [file] }]).layers;
    expect(applied?.variables).toStrictEqual([
      file,
      { ...file, name: "TOKEN", origin: { ...origin, alias: "OLD_TOKEN" } },
    ]);
  });
});

describe("defaults", () => {
  it("are the lowest layer, with the contract as their origin, and public", () => {
    const { layers } = applyContract(contract, [layer(environment, {})]);
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
    expect(values(layer(environment, { LEVEL: "debug" }))).toStrictEqual({ LEVEL: "debug" });
    expect(values(layer(environment, { LEVEL: "" }))).toStrictEqual({ LEVEL: "info" });
  });
});

describe("deprecated names", () => {
  it("give one notice each when they are set", () => {
    const { notices } = applyContract(contract, [
      layer(environment, { OLD_TOKEN: "a", TOKEN_2: "b" }),
      layer(esc, { OLD_TOKEN: "c", LEGACY: "d" }),
    ]);
    expect(notices).toStrictEqual([
      { kind: "deprecated", name: "OLD_TOKEN", use: "TOKEN" },
      { kind: "deprecated", name: "LEGACY", use: "TOKEN" },
    ]);
    expect(applyContract(contract, [layer(environment, { OLD_TOKEN: "", LEGACY: "" })]).notices).toStrictEqual([]);
  });
});

describe("applyContract", () => {
  it("returns the given layers where the contract has nothing to add", () => {
    const plain = contractOf({ variables: { A: {} } });
    const layers = [layer(environment, { A: "a", B: "" })];
    expect(applyContract(plain, layers)).toStrictEqual({ layers, notices: [] });
    expect(applyContract(plain, layers).layers).toBe(layers);
  });

  it("changes no value that is set, adds only declared names, and does nothing the second time", () => {
    const names = fc.constantFrom("TOKEN", "TOKEN_2", "OLD_TOKEN", "LEVEL", "LEGACY", "OTHER");
    const anyLayer = fc
      .tuple(fc.constantFrom(environment, esc), fc.dictionary(names, fc.constantFrom("", "a", "b")))
      .map(([origin, content]) => layer(origin, content));
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
