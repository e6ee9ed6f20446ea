/** Arbitrary contracts for property tests. Every generated contract is valid. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../schema/sophia.contract.schema.json"), "utf8"));
/** The formats that a contract writes as a text. */
export const NAMED_FORMATS: readonly string[] = schema.definitions.FormatEntry.then.enum;

const names = ["A_URL", "B_KEY", "C", "D_TOKEN", "E", "F_PORT", "G"] as const;

const formats = fc.constantFrom<unknown>(
  ...NAMED_FORMATS,
  { type: "url", schemes: ["postgresql", "http"] },
  { type: "integer", minimum: 3, maximum: 9 },
  { type: "integer", maximum: -7 },
  { type: "number", minimum: -0.5, maximum: 0.25 },
  { type: "enum", values: ["on", "off"] },
  { type: "text", prefix: "sk-", minLength: 40 },
  { type: "text", prefix: ["ghp_", "gho_"] },
  { type: "text", minLength: 100 },
  { type: "text", pattern: "[a-z]{3}-[0-9]{4,}" },
  { type: "text", pattern: "pul-[a-f0-9]{40}", minLength: 44, prefix: "pul-" },
);

const condition = fc.record({
  when: fc.constantFrom(...names),
  equals: fc.option(fc.constantFrom("on", "x", ["off", "fake-c"]), { nil: undefined }),
});

/**
 * A contract over a few names, with any formats, conditions and groups, and without two groups that contradict each
 * other.
 */
export const contractDocuments = fc
  .record({
    entries: fc.tuple(
      ...names.map((name) =>
        fc.record(
          {
            required: fc.oneof(
              fc.boolean(),
              condition.filter(({ when }) => when !== name),
            ),
            format: formats,
            secret: fc.constant(false),
            example: fc.constantFrom("<value>", "https://<host>", "sk-<key>"),
          },
          { requiredKeys: [] },
        ),
      ),
    ),
    groups: fc.dictionary(
      fc.constantFrom("g", "h"),
      fc.record({
        rule: fc.constantFrom("one-of", "at-least-one", "all-or-none", "optional"),
        variables: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }),
      }),
    ),
  })
  .map(({ entries, groups }) => ({
    variables: Object.fromEntries(names.map((name, index) => [name, withoutOddConditions(entries, index)])),
    groups,
  }));

interface Entry {
  readonly secret?: boolean;
  readonly required?: unknown;
  readonly format?: unknown;
  readonly example?: string;
}

/**
 * Removes conditions that are refused when a contract is read: those on a secret's value, and those on a value that an
 * enumeration does not have.
 */
function withoutOddConditions(entries: readonly Entry[], index: number): Entry {
  const { required, ...entry } = entries[index] ?? {};
  if (typeof required !== "object" || required === null || !("when" in required))
    return { ...entry, ...(required === undefined ? {} : { required }) };
  const other = entries[names.findIndex((name) => name === required.when)];
  const closed = typeof other?.format === "object" && other.format !== null && "values" in other.format;
  const equals = "equals" in required ? required.equals : undefined;
  const secret = other?.secret !== false && !closed && other?.format !== "boolean" && other?.format !== "port";
  const kept = secret ? undefined : closed ? "on" : equals;
  return { ...entry, required: { when: required.when, ...(kept === undefined ? {} : { equals: kept }) } };
}
