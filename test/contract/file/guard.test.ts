import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSchema } from "../../../scripts/contract/schema.ts";
import { explainRejection } from "../../../src/contract/file/explain-rejection.ts";
import { parseWithPositions } from "../../../src/contract/file/positions.ts";
import { isContractDocument } from "../../../src/contract/generated/guard.ts";
import { schemaText } from "../../../src/contract/generated/schema-text.ts";
import { root } from "../contracts.ts";

const published = readFileSync(join(root, "schema", "sophia.contract.schema.json"), "utf8");
const schema = readSchema(published);
/** An independent validator, as editors use one. */
const byAjv = new Ajv({ allowUnionTypes: true, discriminator: true, strictRequired: false }).compile(
  JSON.parse(published),
);

/** A document that uses every part of the contract's language. */
const complete = {
  $schema: "x",
  variables: {
    A: {
      label: "A",
      description: "a",
      required: true,
      secret: true,
      example: "<a>",
      docs: "https://a.example/b",
      aliases: ["B", { name: "C", deprecated: true }, { name: "D" }],
      deprecated: "E",
      format: { type: "text", prefix: ["a", "b"], minLength: 3, pattern: "a+" },
      rotateEvery: "90 days",
    },
    E: { required: { when: "A", equals: ["x", "y"] }, default: "d", format: "url" },
    F: { required: { when: "A", equals: "x" }, format: { type: "url", schemes: ["https"] } },
    G: { required: { when: "A" }, format: { type: "integer", minimum: 1, maximum: 2.5 } },
    H: { format: { type: "enum", values: ["a"] }, rotateEvery: "1 year" },
    I: { format: { type: "port" } },
    J: { format: { type: "text", prefix: "a" } },
    K: { broker: true },
    L: {
      broker: {
        upstream: "https://a.example",
        headers: ["api-key", "Authorization: Bearer"],
        base: { A: "/v1", B: "" },
        prefix: "/v1",
        allow: ["GET /v1/a"],
        deny: ["* /v1/b/**", "POST /c"],
      },
    },
  },
  groups: { "g-1": { label: "G", rule: "one-of", variables: ["A", "E"] } },
  sections: [{ title: "S", lines: ["A", "g-1"] }],
  profiles: {
    dev: {
      description: "d",
      extends: ["ci"],
      variables: { A: { required: false } },
      groups: { "g-1": { rule: "optional" } },
    },
    ci: { extends: "x" },
  },
};

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Returns the path of every value in a document. */
function listPaths(value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const children = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...children.flatMap(([key, child]) => listPaths(child, [...path, key]))];
}

/** Returns a copy of the value with one place replaced, or removed if the replacement is undefined. */
function withPlace(
  value: unknown,
  [step, ...rest]: readonly (string | number)[],
  replacement: Json | undefined,
): unknown {
  if (step === undefined) return replacement ?? null;
  const change = (key: string | number, child: unknown): unknown[] =>
    key !== step
      ? [child]
      : rest.length > 0
        ? [withPlace(child, rest, replacement)]
        : replacement === undefined
          ? []
          : [replacement];
  if (Array.isArray(value)) return value.flatMap((child: unknown, index) => change(index, child));
  return Object.fromEntries(
    Object.entries(value ?? {}).flatMap(([key, child]) => change(key, child).map((changed) => [key, changed] as const)),
  );
}

const someJson: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    1,
    2.5,
    -1,
    70_000,
    "",
    "A",
    "a b",
    "one-of",
    "url",
    "text",
    "1 day",
    "0 days",
    "https://x",
    "a\nb",
    "X".repeat(300),
  ),
  fc.constantFrom<Json>(
    [],
    {},
    ["A"],
    ["A", "A"],
    [""],
    [1],
    { name: "A" },
    { when: "A" },
    { type: "port" },
    { type: "url" },
    { type: "no" },
    { when: "A", equals: [] },
    { rule: "optional", variables: ["A"] },
  ),
);

const verdicts = (document: unknown): Readonly<Record<string, boolean>> => ({
  guard: isContractDocument(document),
  explanation: explainRejection(schema, parseWithPositions(JSON.stringify(document))).length === 0,
  ajv: byAjv(document),
});

describe("the guard, the explanation and an independent validator", () => {
  it("agree on a document that uses every part of the language", () => {
    expect(verdicts(complete)).toStrictEqual({ guard: true, explanation: true, ajv: true });
  });

  it("agree on documents in which anything is replaced, removed or added anywhere", () => {
    const change = fc.record({
      place: fc.constantFrom(...listPaths(complete)),
      replacement: fc.option(someJson, { nil: undefined }),
      extra: fc.option(fc.constantFrom("x", "label", "type", "__proto__", "1", "X".repeat(300)), {
        nil: undefined,
        freq: 4,
      }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
        let document: unknown = complete;
        for (const { place, replacement, extra } of changes) {
          document = withPlace(document, extra === undefined ? place : [...place, extra], replacement);
        }
        // JSON cannot express some objects, for example a prototype that is set by `__proto__`. The three must not
        // differ because of them.
        const written: unknown = JSON.parse(JSON.stringify(document));
        const { guard, explanation, ajv } = verdicts(written);
        expect({ written, explanation, ajv }).toStrictEqual({ written, explanation: guard, ajv: guard });
      }),
      { numRuns: 3000 },
    );
  });

  it("read the schema that is published", () => {
    expect(JSON.parse(schemaText)).toStrictEqual(JSON.parse(published));
  });
});

describe("readSchema", () => {
  it("refuses keywords that the generators would ignore", () => {
    expect(() => readSchema('{"properties": {"a": {"oneOf": [{"minProperties": 1}]}}}')).toThrow("minProperties");
  });
});
