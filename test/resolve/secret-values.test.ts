import { expect, test } from "vitest";
import type { Contract, Declaration } from "../../src/contract/contract-model.ts";
import type { ResolvedVariable } from "../../src/core/model.ts";
import { resolveLayers } from "../../src/resolve/precedence.ts";
import { isSecret } from "../../src/contract/secret-names.ts";
import { collectSecrets } from "../../src/resolve/secret-values.ts";

const declarationOf = (name: string, secret: boolean): Declaration => ({
  name,
  label: name,
  description: "",
  secret,
  aliases: [],
});

const contract: Contract = {
  source: { kind: "built-in" },
  variables: new Map([
    ["KEY", declarationOf("KEY", true)],
    ["REGION", declarationOf("REGION", false)],
  ]),
  aliases: new Map([["OLD_KEY", "KEY"]]),
  deprecated: new Map(),
  rules: [],
  sections: [],
  profiles: [],
  scopes: new Map(),
};

test.each([
  ["KEY", false, true, "the contract declares it as secret"],
  ["OLD_KEY", false, true, "it is an alias of a secret"],
  ["REGION", true, false, "the contract declares it as not secret"],
  ["OTHER", true, true, "ESC has marked it as secret"],
  ["PLAIN", false, false, "it is neither declared nor marked as secret"],
  ["ESC_TOKEN", false, true, "it opens ESC"],
])("%s, marked as secret by ESC: %s, is a secret: %s, because %s", (name, marked, expected) => {
  expect(isSecret(contract, { name, secret: marked })).toBe(expected);
});

test("collectSecrets returns the secrets of all sources, including withheld values and values that these hide", () => {
  const variable = (name: string, value: string): ResolvedVariable => ({
    name,
    value,
    secret: false,
    origin: { source: "environment" },
    delivery: "value",
  });
  const resolution = new Map([
    ["KEY", variable("KEY", "hides the other")],
    ["PLAIN", variable("PLAIN", "not secret")],
    ["ESC_TOKEN", variable("ESC_TOKEN", "pul-token")],
  ]);
  const selected = new Map([["KEY", variable("KEY", "was hidden")]]);
  expect(collectSecrets({ files: { contract }, values: { layers: [], resolution, selected } })).toEqual([
    { name: "KEY", value: "hides the other" },
    { name: "ESC_TOKEN", value: "pul-token" },
    { name: "KEY", value: "was hidden" },
  ]);
});

test("a variable is secret if ESC marks it as secret, even if the environment overrides its value", () => {
  const layer = (source: "environment" | "esc", value: string, secret: boolean) => ({
    source,
    variables: [
      {
        name: "TOKEN",
        value,
        secret,
        origin: source === "esc" ? ({ source, environment: "o/p/e" } as const) : ({ source } as const),
        delivery: "value" as const,
      },
    ],
  });
  const resolution = resolveLayers([layer("environment", "mine", false), layer("esc", "theirs", true)], () => false);
  expect(resolution.get("TOKEN")).toMatchObject({ value: "mine", secret: true });
});
