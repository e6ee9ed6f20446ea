import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectWording } from "../helpers/wording.ts";
import { applyContract } from "../../src/contract/apply.ts";
import { createDummyLayer } from "../../src/contract/fake.ts";
import { BUILT_IN } from "../../src/contract/generated/built-in.ts";
import type { Contract } from "../../src/contract/contract-model.ts";
import type { Resolution } from "../../src/core/model.ts";
import { resolveLayers } from "../../src/resolve/precedence.ts";
import { contractDocuments } from "./arbitrary-contracts.ts";
import { summarizeViolations, findViolations, contractOf, catchFailure, resolutionOf } from "./contracts.ts";

/** Returns the values that are made up if the values of `present` are set. */
const fakeValues = (contract: Contract, present: Resolution = new Map()): Readonly<Record<string, string>> =>
  Object.fromEntries(createDummyLayer(contract, present).variables.map(({ name, value }) => [name, value]));

describe("createDummyLayer", () => {
  it("gives the built-in contract the values that it requires, and no more", () => {
    expect(fakeValues(BUILT_IN)).toStrictEqual({
      PULUMI_ACCESS_TOKEN: "pul-fake-pulumi-access-token",
      QDRANT_URL: "https://fake.invalid/fake-qdrant-url",
      QDRANT_API_KEY: "fake-qdrant-api-key",
      GH_FINE_GRAINED_TOKEN: "github_pat_fake-gh-fine-grained-token",
      OPENROUTER_API_KEY: "sk-or-fake-openrouter-api-key",
    });
  });

  it("leaves values that are set unchanged", () => {
    const present = resolutionOf({ GITHUB_PAT: "x", GROQ_API_KEY: "y", QDRANT_URL: "z", PULUMI_ACCESS_TOKEN: "" });
    expect(Object.keys(fakeValues(BUILT_IN, present))).toStrictEqual(["PULUMI_ACCESS_TOKEN", "QDRANT_API_KEY"]);
  });

  it("follows conditions, completes groups and leaves out deprecated names", () => {
    const contract = contractOf({
      variables: {
        A: { required: true, format: { type: "enum", values: ["on", "off"] } },
        B: { required: { when: "A", equals: "on" } },
        C: { required: { when: "B" } },
        D: { required: { when: "A", equals: "off" } },
        E: {},
        OLD: { deprecated: "E" },
        F: { default: "x" },
      },
      groups: {
        pair: { rule: "all-or-none", variables: ["C", "D", "F"] },
        one: { rule: "exactly-one", variables: ["OLD", "E"] },
      },
    });
    expect(
      Object.keys(
        fakeValues(
          contract,
          resolveLayers(applyContract(contract, []).layers, () => true),
        ),
      ),
    ).toStrictEqual(["A", "E", "B", "C", "D"]);
  });

  it("meets every contract that values can meet, always in the same way, and marks each value as a dummy", () => {
    fc.assert(
      fc.property(contractDocuments, (document) => {
        const contract = contractOf(document);
        const layer = createDummyLayer(contract, new Map());
        expect(layer).toStrictEqual(createDummyLayer(contract, new Map()));
        const resolution = resolveLayers([layer], () => true);
        expect(summarizeViolations(findViolations(contract, resolution))).toStrictEqual([]);
        const unmarked = layer.variables.filter(({ name, value }) => {
          const format = contract.variables.get(name)?.format;
          return (
            !value.includes("fake") &&
            // These are addresses of servers without a user, and databases in memory.
            !/^[a-z+]+:\/\/(?:127\.0\.0\.1:\d+|\/:memory:)$/.test(value) &&
            (format === undefined || ["text", "url", "json", "base64", "email"].includes(format.kind))
          );
        });
        // The generated patterns have room for four letters, with two exceptions: three letters, and hexadecimal
        // digits.
        expect(unmarked.filter(({ value }) => !/^[a-z]{3}-\d+$|^pul-[a-f\d]+$/.test(value))).toStrictEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("returns values that violate a contract which contradicts itself", () => {
    const contract = contractOf({
      variables: { A: { required: true }, B: { required: true } },
      groups: { g: { rule: "exactly-one", variables: ["A", "B"] } },
    });
    const resolution = resolveLayers([createDummyLayer(contract, new Map())], () => true);
    expect(summarizeViolations(findViolations(contract, resolution))).toStrictEqual(["several-set g: A B"]);
  });
});

/** Returns the made-up value of a declaration, and checks that the value has the declared format. */
const value = (declaration: object): string => {
  const contract = contractOf({ variables: { A_KEY: { ...declaration, required: true } } });
  const made = fakeValues(contract)["A_KEY"] ?? "";
  expect(
    summarizeViolations(findViolations(contract, resolutionOf({ A_KEY: made }, { source: "fake" }))),
  ).toStrictEqual([]);
  return made;
};

describe("the dummy value", () => {
  it.each<[object, string]>([
    [{}, "fake-a-key"],
    [{ example: "sk-<key>" }, "sk-fake-a-key"],
    [{ example: "postgresql://<user>@localhost/db" }, "postgresql://fake:fake@127.0.0.1/fake"],
    [{ example: "something else <x>" }, "fake-a-key"],
    [{ format: "url" }, "https://fake.invalid/fake-a-key"],
    [{ format: { type: "url", schemes: ["redis", "rediss"] } }, "redis://127.0.0.1:6379"],
    [{ format: "integer" }, "0"],
    [{ format: { type: "integer", minimum: 2.5 } }, "3"],
    [{ format: { type: "integer", maximum: -2.5 } }, "-3"],
    [{ format: { type: "number", minimum: 2.5 } }, "2.5"],
    [{ format: { type: "number", maximum: -1e21 } }, "-1e+21"],
    [{ format: "boolean" }, "false"],
    [{ format: "port" }, "65535"],
    [{ format: { type: "enum", values: ["b", "a"] } }, "b"],
    [{ format: "json" }, '{"fake":"fake-a-key"}'],
    [{ format: "base64" }, "fakeZmFrZS1hLWtleQ=="],
    [{ format: "email" }, "fake-a-key@example.com"],
    [{ format: { type: "text", prefix: "sk-" } }, "sk-fake-a-key"],
    [{ format: { type: "text", minLength: 9 } }, "fake-a-key"],
    [{ format: { type: "text", minLength: 10 } }, "fake-a-key"],
    [{ format: { type: "text", minLength: 11 } }, "fake-a-key-"],
    [{ format: { type: "text", minLength: 15 } }, "fake-a-key-fake"],
    [{ format: { type: "text", minLength: 16 } }, "fake-a-key-fake-"],
    [{ format: { type: "text", minLength: 40 } }, `fake-a-key${"-fake".repeat(6)}`],
    // A letter outside the Basic Multilingual Plane has two UTF-16 units, and is counted as one character.
    [{ format: { type: "text", prefix: "\u{1F511}-", minLength: 16 } }, "\u{1F511}-fake-a-key-fak"],
    [{ format: { type: "text", prefix: "redis://" } }, "redis://127.0.0.1:6379"],
    [{ format: { type: "url", schemes: ["postgresql+asyncpg"] } }, "postgresql+asyncpg://fake:fake@127.0.0.1/fake"],
    [{ format: { type: "url", schemes: ["mongodb+srv"] } }, "mongodb+srv://fake:fake@fake.fake.invalid/fake"],
    [{ format: { type: "url", schemes: ["sqlite"] } }, "sqlite:///:memory:"],
    [{ format: { type: "url", schemes: ["file"] } }, "file:///fake-a-key"],
    [{ format: { type: "url", schemes: ["snowflake"] } }, "snowflake://fake.invalid/fake-a-key"],
    [{ format: { type: "text", pattern: "[a-z]{6}" } }, "fakefa"],
  ])("for the declaration %j is %s", (declaration, expected) => {
    expect(value(declaration)).toBe(expected);
  });

  it.each<[name: string, declaration: object, expected: string]>([
    ["REDIS_URL", {}, "redis://127.0.0.1:6379"],
    ["CACHE_REDIS_URI", { format: "url" }, "redis://127.0.0.1:6379"],
    ["DATABASE_URL", {}, "postgresql://fake:fake@127.0.0.1/fake"],
    ["TEST_DB_URL", { format: "url" }, "postgresql://fake:fake@127.0.0.1/fake"],
    ["DATABASE_URL", { format: { type: "url", schemes: ["mysql", "mariadb"] } }, "mysql://fake:fake@127.0.0.1/fake"],
    ["DATABASE_URL", { example: "mysql://<user>@localhost" }, "mysql://fake:fake@127.0.0.1/fake"],
    ["MONGODB_URI", {}, "mongodb://fake:fake@127.0.0.1/fake"],
    ["API_URL", {}, "https://fake.invalid/fake-api-url"],
    ["SENTRY_DSN", {}, "https://fake@fake.invalid/0"],
    ["POSTGRES_DSN", {}, "postgresql://fake:fake@127.0.0.1/fake"],
    ["CLICKHOUSE_DSN", { format: { type: "url", schemes: ["https"] } }, "https://fake.invalid/fake-clickhouse-dsn"],
    ["ERRORS_DSN", { format: { type: "url", schemes: ["https"] } }, "https://fake@fake.invalid/0"],
    ["CURL", {}, "fake-curl"],
    ["API__KEY_", {}, "fake-api-key"],
  ])("for the name %s with the declaration %j is %s", (name, declaration, expected) => {
    const contract = contractOf({ variables: { [name]: { ...declaration, required: true } } });
    expect(fakeValues(contract)).toEqual({ [name]: expected });
  });

  it("is the example if none can be made from the format, and an error asks for an example if there is none", async () => {
    const format = { type: "text", pattern: "a.*|b1", prefix: "b" };
    expect(value({ format, example: "b1" })).toBe("b1");
    const failure = await catchFailure(() => value({ format }));
    expect(failure).toMatchObject({ code: "fake-value", status: 125 });
    expectWording(`${failure.message}\n${failure.hint}`);
  });
});
