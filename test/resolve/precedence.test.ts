import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Layer, Origin, SourceId } from "../../src/core/model.ts";
import { sortByPrecedence, findOverriddenNames, PRECEDENCE, resolveLayers } from "../../src/resolve/precedence.ts";

const ORIGINS: Readonly<Record<SourceId, Origin>> = {
  environment: { source: "environment" },
  override: { source: "override", file: ".env.override", line: 1 },
  esc: { source: "esc", environment: "o/p/e" },
  secrets: { source: "secrets", file: "/run/secrets/a" },
  dotenv: { source: "dotenv", file: ".env", line: 1 },
  contract: { source: "contract", file: "c" },
  fake: { source: "fake" },
};

const layerOf = (source: SourceId, values: Readonly<Record<string, string>>): Layer => ({
  source,
  variables: Object.entries(values).map(([name, value]) => ({
    name,
    value,
    secret: true,
    origin: ORIGINS[source],
    delivery: "value",
  })),
});

const resolvedValues = (layers: readonly Layer[], declared: readonly string[] = []) =>
  Object.fromEntries(
    Array.from(
      resolveLayers(layers, (name) => declared.includes(name)),
      ([name, { value, origin }]) => [name, [value, origin.source]],
    ),
  );

const environment = layerOf("environment", { A: "env", E: "", D: "" });
const esc = layerOf("esc", { A: "esc", B: "esc", E: "esc", D: "esc" });
const dotenv = layerOf("dotenv", { A: "file", B: "file", C: "file" });

test.each(Object.entries(PRECEDENCE))("with --prefer %s each source occurs once in the order", (_, order) => {
  expect(order.toSorted()).toEqual(Object.keys(ORIGINS).toSorted());
});

test("the environment overrides ESC, and ESC overrides files", () => {
  expect(resolvedValues(sortByPrecedence([dotenv, esc, environment], "environment"), ["D"])).toEqual({
    A: ["env", "environment"],
    B: ["esc", "esc"],
    C: ["file", "dotenv"],
    // An empty value is a value, unless the contract declares the variable. A declared variable that is empty is unset.
    E: ["", "environment"],
    D: ["esc", "esc"],
  });
});

test("with --prefer esc ESC overrides the environment", () => {
  expect(resolvedValues(sortByPrecedence([dotenv, esc, environment], "esc"))).toMatchObject({
    A: ["esc", "esc"],
    C: ["file", "dotenv"],
    E: ["esc", "esc"],
  });
});

test("the origins that a value hides are listed in order, each with whether its value is the same", () => {
  const resolution = resolveLayers([environment, esc, layerOf("dotenv", { A: "env" })], () => false);
  expect(resolution.get("A")?.shadowed).toEqual([
    { origin: ORIGINS.esc, same: false },
    { origin: ORIGINS.dotenv, same: true },
  ]);
});

test("a declared variable that is empty everywhere is unset", () => {
  expect(resolvedValues([layerOf("environment", { D: "" }), layerOf("esc", { D: "" })], ["D"])).toEqual({});
});

test("variables with the names of Object.prototype's properties are resolved like others", () => {
  const hostile: Layer = {
    source: "esc",
    variables: ["__proto__", "constructor", "toString"].map((name) => ({
      name,
      value: "v",
      secret: true,
      origin: ORIGINS.esc,
      delivery: "value",
    })),
  };
  expect([...resolveLayers([hostile], () => false).keys()]).toEqual(["__proto__", "constructor", "toString"]);
});

describe("the notice about overridden variables of ESC names the right variables for", () => {
  const findOverridden = (env: Record<string, string>, of: Record<string, string>, declared: string[]) =>
    findOverriddenNames(
      resolveLayers([layerOf("environment", env), layerOf("esc", of)], (name) => declared.includes(name)),
      (name) => declared.includes(name),
    );

  test.each([
    [{ A: "1" }, { A: "2" }, ["A"], ["A"]],
    [{ A: "1" }, { A: "1" }, ["A"], []],
    [{ A: "1" }, { A: "2" }, [], []],
    [{ A: "" }, { A: "2" }, ["A"], []],
    [{ B: "1", A: "1" }, { A: "2", B: "2" }, ["A", "B"], ["A", "B"]],
  ])("the environment %j, ESC %j and the declared names %j", (env, of, declared, names) =>
    expect(findOverridden(env, of, declared)).toEqual(names),
  );
});

describe("whatever the layers are,", () => {
  const name = fc.constantFrom<string>("A", "B", "C", "D", "E", "F");
  const source = fc.constantFrom<SourceId>("environment", "esc", "dotenv");
  const anyLayer = fc
    .tuple(source, fc.dictionary(name, fc.constantFrom("", "x", "y", "z")))
    .map(([id, of]) => layerOf(id, of));
  const layers = fc.array(anyLayer, { maxLength: 6 });
  const declared = fc.uniqueArray(name);

  test("every variable has the value of the highest layer that sets it", () => {
    fc.assert(
      fc.property(layers, declared, (all, names) => {
        const resolution = resolveLayers(all, (declaredName) => names.includes(declaredName));
        for (const [key, { value, origin }] of resolution) {
          const setting = all.find(({ variables }) =>
            variables.some((variable) => variable.name === key && !(variable.value === "" && names.includes(key))),
          );
          expect(origin.source).toBe(setting?.source);
          expect(value).toBe(setting?.variables.find((variable) => variable.name === key)?.value);
        }
      }),
    );
  });

  test("a lower layer only adds missing variables", () => {
    fc.assert(
      fc.property(layers, anyLayer, declared, (all, below, names) => {
        const isDeclared = (variableName: string): boolean => names.includes(variableName);
        const before = resolveLayers(all, isDeclared);
        const after = resolveLayers([...all, below], isDeclared);
        for (const [key, { value, origin }] of before) expect(after.get(key)).toMatchObject({ value, origin });
        for (const key of after.keys()) {
          if (!before.has(key)) expect(below.variables.map((variable) => variable.name)).toContain(key);
        }
      }),
    );
  });

  test("every layer that sets a variable is its origin, or is listed as hidden", () => {
    fc.assert(
      fc.property(layers, (all) => {
        const originCount = [...resolveLayers(all, () => false).values()].reduce(
          (sum, { shadowed = [] }) => sum + 1 + shadowed.length,
          0,
        );
        expect(originCount).toBe(all.reduce((sum, { variables }) => sum + variables.length, 0));
      }),
    );
  });

  test("the order in which layers were read has an effect only within a source", () => {
    fc.assert(
      fc.property(layers, (all) => {
        const sorted = sortByPrecedence(all, "environment");
        for (const id of ["environment", "esc", "dotenv"] as const) {
          expect(sorted.filter((each) => each.source === id)).toEqual(all.filter((each) => each.source === id));
        }
        expect(sortByPrecedence(sorted, "environment")).toEqual(sorted);
      }),
    );
  });
});
