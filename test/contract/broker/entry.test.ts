import { describe, expect, test } from "vitest";
import { compileBrokerEntry, suggestAddressName } from "../../../src/contract/broker/entry.ts";
import { PROVIDERS } from "../../../src/contract/broker/providers.ts";
import { BUILT_IN } from "../../../src/contract/generated/built-in.ts";
import { contractOf } from "../contracts.ts";

/** Returns the broker entry of a variable that a contract declares like this. */
function compileEntry(name: string, declared: object, more: object = {}, profile?: string) {
  const contract = contractOf({ variables: { [name]: declared, SEARCH_URL: {} }, ...more }, profile);
  const declaration = contract.variables.get(name);
  if (declaration === undefined) throw new TypeError(name);
  const compiled = compileBrokerEntry(declaration);
  // For rules, the test compares the text only.
  return compiled === undefined
    ? undefined
    : JSON.parse(
        JSON.stringify(compiled, (key, value: unknown) =>
          key === "allow" || key === "deny" ? ruleTexts(value) : value,
        ),
      );
}

function ruleTexts(rules: unknown): unknown {
  return Array.isArray(rules)
    ? rules.map((rule: unknown) => (typeof rule === "object" && rule !== null && "text" in rule ? rule.text : rule))
    : rules;
}

const bearer = { header: "authorization", scheme: "bearer" };
const probeOf = (url: string, headers: object) => ({ probe: { url, headers } });
const search = probeOf("https://api.search.test/v1/me?x=1", {
  Authorization: "Bearer ${SEARCH_KEY}",
  "X-Version": "2",
});

describe("the broker entry of a name with built-in settings", () => {
  test.each([
    ["no member", {}, {}],
    ["true", { broker: true }, {}],
    ["false", { broker: false }, undefined],
    ["no secret", { secret: false }, undefined],
    ["no secret, and true", { secret: false, broker: true }, {}],
    ["deprecated", { deprecated: "SEARCH_URL" }, undefined],
    ["deprecated, and true", { deprecated: "SEARCH_URL", broker: true }, {}],
    [
      "a probe of its own, which changes nothing",
      { broker: true, ...probeOf("https://evil.test/", { "x-key": "${OPENAI_API_KEY}" }) },
      {},
    ],
    ["an alias, to which nothing belongs", { aliases: ["SEARCH_KEY"] }, {}],
  ])("follows the declaration: %s", (_, declared, expected) => {
    expect(compileEntry("OPENAI_API_KEY", declared)).toEqual(expected);
  });

  test("takes each member that the contract sets from the contract, and no others", () => {
    const broker = { headers: ["Api-Key", "Authorization: Token"], deny: ["* /v1/files/**"], prefix: "" };
    expect(compileEntry("OPENAI_API_KEY", { broker })).toEqual({
      slots: [{ header: "api-key" }, { header: "authorization", scheme: "token" }],
      prefix: "",
      deny: ["* /v1/files/**"],
    });
  });
});

describe("the broker entry of a name without built-in settings", () => {
  test.each([
    ["no member", {}],
    ["false", { broker: false }],
    ["a probe alone", search],
    ["the alias of a built-in name", { aliases: ["OPENAI_API_KEY"] }],
  ])("does not exist, so the key is not brokered, if the declaration has %s", (_, declared) => {
    expect(compileEntry("SEARCH_KEY", declared)).toBeUndefined();
  });

  test.each([
    ["constructor", {}],
    ["__proto__", {}],
  ])("does not exist if the name is one that objects inherit: %s", (name, declared) => {
    expect(compileBrokerEntry({ name, secret: true, ...declared })).toBeUndefined();
  });

  test("has everything that the contract declares", () => {
    const broker = {
      upstream: "https://search.example.com",
      headers: ["Authorization: Bearer"],
      base: { SEARCH_BASE_URL: "/v2" },
      allow: ["POST /v2/query", "GET /v2/documents/**"],
      deny: ["* /v2/keys/**"],
    };
    expect(compileEntry("SEARCH_KEY", { broker })).toEqual({
      upstream: "https://search.example.com",
      slots: [bearer],
      base: { SEARCH_BASE_URL: "/v2" },
      allow: ["POST /v2/query", "GET /v2/documents/**"],
      deny: ["* /v2/keys/**"],
    });
  });

  test.each([
    ["true", search, true, { upstream: "https://api.search.test", slots: [bearer], base: { SEARCH_BASE_URL: "" } }],
    [
      "an object",
      search,
      { base: { SEARCH_URL: "/v1" } },
      { upstream: "https://api.search.test", slots: [bearer], base: { SEARCH_URL: "/v1" } },
    ],
    [
      "an address in a variable, which is replaced",
      probeOf("${SEARCH_URL}/me", { "X-Search-Key": "${SEARCH_KEY}" }),
      true,
      { upstream: "${SEARCH_URL}", slots: [{ header: "x-search-key" }], base: { SEARCH_URL: "" } },
    ],
    [
      "two headers",
      probeOf("http://127.0.0.1:9200/x", { "x-key": "${SEARCH_KEY}", Authorization: "Token ${SEARCH_KEY}" }),
      true,
      {
        upstream: "http://127.0.0.1:9200",
        slots: [{ header: "x-key" }, { header: "authorization", scheme: "token" }],
        base: { SEARCH_BASE_URL: "" },
      },
    ],
    [
      "an origin of the contract in place of the probe's",
      search,
      { upstream: "${SEARCH_URL}" },
      { upstream: "${SEARCH_URL}", slots: [bearer], base: { SEARCH_URL: "" } },
    ],
  ])("is completed from the key's probe: %s", (_, probed, broker, expected) => {
    expect(compileEntry("SEARCH_KEY", { ...probed, broker })).toEqual(expected);
  });

  test("is the profile's member as a whole, if the profile has one", () => {
    const profiles = {
      dev: { variables: { SEARCH_KEY: { broker: { prefix: "/v3" } } } },
      off: { variables: { SEARCH_KEY: { broker: false } } },
    };
    const declared = { ...search, broker: { prefix: "/v2", deny: ["* /v2/keys"] } };
    expect(compileEntry("SEARCH_KEY", declared, { profiles })).toMatchObject({ prefix: "/v2", deny: ["* /v2/keys"] });
    expect(compileEntry("SEARCH_KEY", declared, { profiles }, "dev")).toEqual({
      prefix: "/v3",
      upstream: "https://api.search.test",
      slots: [bearer],
      base: { SEARCH_BASE_URL: "" },
    });
    expect(compileEntry("SEARCH_KEY", declared, { profiles }, "off")).toBeUndefined();
  });
});

test.each([
  ["SEARCH_API_KEY", "SEARCH_BASE_URL"],
  ["SEARCH_KEY", "SEARCH_BASE_URL"],
  ["SEARCH_ACCESS_TOKEN", "SEARCH_BASE_URL"],
  ["SEARCH_TOKEN", "SEARCH_BASE_URL"],
  ["search_api_key", "search_BASE_URL"],
  ["SEARCH", "SEARCH_BASE_URL"],
  ["API_KEY", "API_BASE_URL"],
  ["_KEY", "_KEY_BASE_URL"],
])("the broker derives from the key %s that its service's address is in %s", (key, variable) => {
  expect(suggestAddressName(key)).toBe(variable);
});

test("the broker handles exactly those keys of the built-in contract that the table of providers has", () => {
  const brokered = Array.from(BUILT_IN.variables.values()).filter(
    (declaration) => compileBrokerEntry(declaration) !== undefined,
  );
  const known = Object.keys(PROVIDERS).filter((name) => BUILT_IN.variables.has(name));
  expect(brokered.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
  expect(known).toHaveLength(13);
  expect(brokered.map(compileBrokerEntry)).toEqual(brokered.map(() => ({})));
  for (const name of ["PULUMI_ACCESS_TOKEN", "DATABASE_URL", "QDRANT_URL", "LAMBDA_CLOUD_API_KEY"]) {
    expect(BUILT_IN.variables.has(name)).toBe(true);
    expect(Object.keys(PROVIDERS)).not.toContain(name);
  }
});
