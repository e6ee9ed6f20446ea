import { expect, test } from "vitest";
import { isAddressNote, addBrokerAddresses } from "../../../src/commands/docs/broker-addresses.ts";
import { createEnvExample } from "../../../src/commands/docs/env-example.ts";
import { createEnvTypes } from "../../../src/commands/docs/env-types.ts";
import { createPythonSettings } from "../../../src/commands/docs/python-settings.ts";
import { createContractBlocks } from "../../../src/commands/docs/secrets-document.ts";
import { parseGeneratedFile } from "../../../src/commands/init/generated-example.ts";
import { BUILT_IN } from "../../../src/contract/generated/built-in.ts";
import { contractOf } from "../../contract/contracts.ts";

const search = { upstream: "https://s.test", headers: ["api-key"], base: { SEARCH_BASE_URL: "/v2" } };

const document = {
  variables: {
    FIRST: {},
    OPENAI_API_KEY: { label: "OpenAI", broker: true },
    SEARCH_KEY: { broker: search },
    LAST: {},
  },
};

test("documents list the addresses of brokered keys behind their keys, as optional variables that are not secret", () => {
  const contract = addBrokerAddresses(contractOf(document));
  const names = [
    "FIRST",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "OPENAI_HOST",
    "SEARCH_KEY",
    "SEARCH_BASE_URL",
    "LAST",
  ];
  expect([...contract.variables.keys()]).toEqual(names);
  expect(
    contract.sections.flatMap(({ lines }) => lines.flatMap((line) => (line.kind === "variable" ? [line.name] : []))),
  ).toEqual(names);
  expect(contract.variables.get("SEARCH_BASE_URL")).toMatchObject({ secret: false, aliases: [] });
  expect(contract.rules).toContainEqual({ kind: "optional", name: "SEARCH_BASE_URL" });
});

test.each<[what: string, document: object, expected: readonly string[]]>([
  ["a key without a member", { variables: { OPENAI_API_KEY: {} } }, []],
  ["a key that is taken out", { variables: { OPENAI_API_KEY: { broker: false } } }, []],
  [
    "an address that is declared",
    { variables: { OPENAI_API_KEY: { broker: true }, OPENAI_BASE_URL: {} } },
    ["OPENAI_API_BASE", "OPENAI_HOST"],
  ],
  [
    "an address that is the other name of a variable",
    { variables: { OPENAI_API_KEY: { broker: { deny: [] } }, X: { aliases: ["OPENAI_API_BASE"] } } },
    ["OPENAI_BASE_URL", "OPENAI_HOST"],
  ],
  [
    "an address that follows from the probe",
    { variables: { A_KEY: { broker: true, probe: { url: "https://a.test/", headers: { key: "${A_KEY}" } } } } },
    ["A_BASE_URL"],
  ],
])("documents list the addresses of a key's service: %s", (_, declared, expected) => {
  const contract = contractOf(declared);
  const added = [...addBrokerAddresses(contract).variables.keys()].filter((name) => !contract.variables.has(name));
  expect(added).toEqual(expected);
});

test("documents of a contract without a key's members are unchanged", () => {
  const contract = contractOf({ variables: { OPENAI_API_KEY: {}, A: { broker: false } } });
  expect(addBrokerAddresses(contract)).toBe(contract);
  expect(addBrokerAddresses(BUILT_IN)).toBe(BUILT_IN);
});

test("documents list the addresses of a group's members behind the group", () => {
  const groups = { llm: { label: "LLM", rule: "at-least-one", variables: ["OPENAI_API_KEY", "FIRST"] } };
  const [section] = addBrokerAddresses(
    contractOf({ ...document, groups, sections: [{ title: "S", lines: ["llm", "LAST"] }] }),
  ).sections;
  expect(section?.lines.map((line) => (line.kind === "variable" ? line.name : line.group))).toEqual([
    "llm",
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "OPENAI_HOST",
    "LAST",
  ]);
});

test("each document says who sets the addresses of brokered keys", () => {
  const contract = addBrokerAddresses(contractOf({ variables: { SEARCH_KEY: { broker: search } } }));
  const mark = "mark";
  expect(createEnvExample(contract, mark, false)).toContain(
    "\n# (optional)\n# Set by sophia-run --broker, for SEARCH_KEY.\nSEARCH_BASE_URL=\n",
  );
  expect(createEnvTypes(contract, mark)).toContain(
    "Set by sophia-run --broker, for SEARCH_KEY.\n       * Contract: optional.\n       */\n      SEARCH_BASE_URL?: string;",
  );
  for (const style of ["dataclass", "pydantic"] as const) {
    expect(createPythonSettings(contract, mark, style)).toMatch(
      /search_base_url: str \| None = .*\n +"""Set by sophia-run --broker, for SEARCH_KEY\./,
    );
  }
  expect(createContractBlocks(contract).join("\n")).toMatch(
    /`SEARCH_BASE_URL` +\| optional +\| Set by sophia-run --broker, for SEARCH_KEY\. +\| +\|/,
  );
});

test("a contract that is restored from .env.example does not declare the addresses of brokered keys", () => {
  const text = createEnvExample(addBrokerAddresses(contractOf(document)), "mark", false);
  expect(parseGeneratedFile(text).candidates.map(({ name }) => name)).toEqual(Object.keys(document.variables));
  expect(isAddressNote("Set by hand")).toBe(false);
});
