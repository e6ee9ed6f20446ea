import { describe, expect, test } from "vitest";
import { planBroker } from "../../../../src/commands/parts/broker/brokered-keys.ts";
import { findUnbrokeredSecrets } from "../../../../src/commands/parts/broker/broker-report.ts";
import type { Values } from "../../../../src/command-line/options.ts";
import { windowsEnvironment } from "../../../../src/core/names.ts";
import type { Environment } from "../../../../src/core/model.ts";
import { parseBrokerPlanOptions } from "../../../../src/commands/parts/broker/broker-options.ts";
import { folder } from "../../../helpers/sophia.ts";
import { runStages } from "../../../helpers/start-stages.ts";

const KEY = "key-0123456789";

interface PlanInput {
  readonly variables: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly flags?: Values;
  readonly isWindows?: boolean;
}

async function planKeys({ variables, environment = {}, dotenv = "", flags = {}, isWindows = false }: PlanInput) {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }), ".env": dotenv });
  const own: Environment = isWindows
    ? windowsEnvironment(Object.entries(environment))
    : new Map(Object.entries(environment));
  const start = await runStages(cwd, own, flags);
  const planned = planBroker(start, own, parseBrokerPlanOptions(start.settings), () => "dummy");
  return {
    keys: planned.keys.map(({ route: { name, origin } }) => [name, origin]),
    faults: planned.faults.map(({ name, fault }) => [name, fault.kind]),
    exposed: planned.exposedKeys.map(({ name, why }) => [name, why]),
    excepted: planned.exceptedKeys.map(({ name }) => name),
    outer: planned.outerKeyNames,
    others: findUnbrokeredSecrets(planned, start, own).map(({ name, why }) => [name, why]),
  };
}

describe("the plan of the broker compares names without case, as Windows does:", () => {
  test.each(["openai_api_key", "Openai_Api_Key"])("a contract that declares %s brokers the key", async (name) => {
    const startSettings = { variables: { [name]: {} }, environment: { OPENAI_API_KEY: KEY }, isWindows: true };
    expect(await planKeys(startSettings)).toEqual({
      keys: [["OPENAI_API_KEY", "https://api.openai.com"]],
      faults: [],
      exposed: [],
      excepted: [],
      outer: [],
      others: [],
    });
    expect(await planKeys({ ...startSettings, environment: { openai_api_key: KEY } })).toMatchObject({
      keys: [["OPENAI_API_KEY", "https://api.openai.com"]],
    });
  });

  test("it treats an address in another case as the same address", async () => {
    const environment = { qdrant_api_key: KEY, Qdrant_Url: "https://q.test" };
    const variables = { qdrant_api_key: {}, qdrant_url: { secret: false } };
    expect(await planKeys({ variables, environment, isWindows: true })).toMatchObject({
      keys: [["QDRANT_API_KEY", "https://q.test"]],
    });
    const startWithFile = { variables, environment: { qdrant_api_key: KEY }, dotenv: "Qdrant_URL=https://evil.test\n" };
    expect(await planKeys({ ...startWithFile, isWindows: true })).toMatchObject({
      keys: [],
      faults: [["QDRANT_API_KEY", "untrusted"]],
    });
  });

  test("it treats a name in another case as another variable on other systems", async () => {
    expect(await planKeys({ variables: { openai_api_key: {} }, environment: { OPENAI_API_KEY: KEY } })).toMatchObject({
      keys: [],
      exposed: [["OPENAI_API_KEY", "undeclared"]],
    });
  });

  test("it finds and excepts an undeclared key in any case", async () => {
    const startSettings = { variables: {}, environment: { Groq_Api_Key: KEY }, isWindows: true };
    expect((await planKeys(startSettings)).exposed).toEqual([["GROQ_API_KEY", "undeclared"]]);
    const flags = { "broker-except": ["groq_api_key"] };
    expect(await planKeys({ ...startSettings, flags })).toMatchObject({ exposed: [], excepted: ["GROQ_API_KEY"] });
  });
});

describe("the broker leaves keys alone", () => {
  const variables = { OPENAI_API_KEY: {}, MY_KEY: {}, GROQ_API_KEY: { broker: false }, CERT: {} };

  test("of an outer sophia-run, unless another source has the value", async () => {
    const environment = { SOPHIA_BROKERED: "OPENAI_API_KEY,TAVILY_API_KEY" };
    expect(await planKeys({ variables, environment: { ...environment, OPENAI_API_KEY: KEY } })).toMatchObject({
      keys: [],
      outer: ["OPENAI_API_KEY"],
    });
    expect(await planKeys({ variables, environment, dotenv: `OPENAI_API_KEY=${KEY}\n` })).toMatchObject({
      keys: [["OPENAI_API_KEY", "https://api.openai.com"]],
      outer: [],
    });
  });

  test("with a reason for each", async () => {
    const environment = { MY_KEY: KEY, GROQ_API_KEY: KEY, MISTRAL_API_KEY: KEY };
    const flags = { "broker-except": ["GROQ_API_KEY"] };
    expect(await planKeys({ variables, environment, flags })).toMatchObject({
      others: [
        ["GROQ_API_KEY", "excepted"],
        ["MY_KEY", "unknown"],
      ],
      exposed: [["MISTRAL_API_KEY", "undeclared"]],
    });
    expect((await planKeys({ variables, flags: { fake: true } })).keys).toEqual([]);
  });
});

describe("a key that the program would get as plain text", () => {
  const aliased = { MY_KEY: { aliases: ["GROQ_API_KEY"] }, OPENAI_API_KEY: { aliases: ["LLM_KEY"] } };

  test.each<[string, PlanInput, readonly (readonly [name: string, why: string])[]]>([
    ["undeclared, of a .env", { variables: {}, dotenv: `GROQ_API_KEY=${KEY}\n` }, [["GROQ_API_KEY", "undeclared"]]],
    ["empty", { variables: {}, environment: { GROQ_API_KEY: " " } }, []],
    [
      "a default of the contract",
      { variables: { GROQ_API_KEY: { secret: false, default: "none" } } },
      [["GROQ_API_KEY", "contract"]],
    ],
    [
      "a dummy of --fake",
      { variables: { GROQ_API_KEY: { broker: false, required: true } }, flags: { fake: true } },
      [],
    ],
    [
      "an alias of another variable, which has the value, too",
      { variables: aliased, environment: { GROQ_API_KEY: KEY } },
      [
        ["GROQ_API_KEY", "undeclared"],
        ["MY_KEY", "alias"],
      ],
    ],
    [
      "another name of a declared key that is left out",
      { variables: aliased, environment: { LLM_KEY: KEY }, flags: { exclude: ["OPENAI_API_KEY"] } },
      [["LLM_KEY", "alias"]],
    ],
    ["another name of a brokered key", { variables: aliased, environment: { LLM_KEY: KEY } }, []],
    [
      "a dummy of an outer sophia-run, not declared here",
      { variables: {}, environment: { GROQ_API_KEY: "dummy", SOPHIA_BROKERED: "GROQ_API_KEY" } },
      [],
    ],
  ])("is found: %s", async (_, startSettings, exposed) => {
    expect((await planKeys(startSettings)).exposed).toEqual(exposed);
  });

  test.each([
    ["its name", ["OPENAI_API_KEY", "GROQ_API_KEY"]],
    ["another name of it", ["LLM_KEY", "GROQ_API_KEY"]],
  ])("is allowed by %s, under all names", async (_, names) => {
    const environment = { LLM_KEY: KEY, GROQ_API_KEY: KEY };
    const planned = await planKeys({ variables: aliased, environment, flags: { "broker-except": names } });
    expect(planned).toMatchObject({ keys: [], exposed: [] });
    expect(planned.excepted.toSorted()).toEqual(["GROQ_API_KEY", "LLM_KEY", "MY_KEY", "OPENAI_API_KEY"]);
  });

  test("is also a key that the contract has brokered by itself, if the caller allows it", async () => {
    const broker = { upstream: "https://api.example.test", headers: ["x-key"], base: { OTHER_URL: "" } };
    const flags = { "broker-except": ["OTHER_KEY"], contract: "sophia.contract.json" };
    const startSettings = { variables: { OTHER_KEY: { broker } }, environment: { OTHER_KEY: KEY }, flags };
    expect(await planKeys(startSettings)).toMatchObject({ keys: [], faults: [], excepted: ["OTHER_KEY"] });
  });
});

test.each(["https://*", "https://*.example.com", "https://%2A.example.com", "http://*:8080"])(
  "--broker-to takes no wildcard: %s",
  async (origin) => {
    await expect(planKeys({ variables: {}, flags: { "broker-to": [origin] } })).rejects.toMatchObject({
      code: "settings",
      message: expect.stringContaining("wildcard"),
    });
  },
);

test.each(["https://api.example.com/x", "api.example.com", "ftp://api.example.com", "https://u@api.example.com"])(
  "--broker-to takes origins alone, not %s",
  async (origin) => {
    await expect(planKeys({ variables: {}, flags: { "broker-to": [origin] } })).rejects.toMatchObject({
      code: "settings",
    });
  },
);

test("the plan sends no key to the broker of an outer sophia-run as if that were a gateway", async () => {
  const outer = { OPENAI_API_KEY: "sophia-dummy", OPENAI_BASE_URL: "http://127.0.0.1:4/v1" };
  const startSettings = {
    variables: { OPENAI_API_KEY: {}, ANTHROPIC_API_KEY: {}, CLAUDE_CODE_OAUTH_TOKEN: {} },
    environment: {
      ...outer,
      ANTHROPIC_API_KEY: "sophia-other",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:4",
      CLAUDE_CODE_OAUTH_TOKEN: KEY,
      SOPHIA_BROKERED: "OPENAI_API_KEY,ANTHROPIC_API_KEY",
    },
  };
  expect(await planKeys(startSettings)).toMatchObject({
    keys: [["CLAUDE_CODE_OAUTH_TOKEN", "https://api.anthropic.com"]],
    outer: ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
  });
});

test("the plan keeps the gateway of a program with dummies for the program's own keys", async () => {
  const startSettings = {
    variables: { ANTHROPIC_API_KEY: {}, CLAUDE_CODE_OAUTH_TOKEN: {} },
    environment: {
      ANTHROPIC_API_KEY: "sophia-dummy",
      ANTHROPIC_BASE_URL: "https://gateway.test",
      CLAUDE_CODE_OAUTH_TOKEN: KEY,
      SOPHIA_BROKERED: "ANTHROPIC_API_KEY",
    },
  };
  expect(await planKeys(startSettings)).toMatchObject({ keys: [["CLAUDE_CODE_OAUTH_TOKEN", "https://gateway.test"]] });
});
