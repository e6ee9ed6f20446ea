import { describe, expect, test } from "vitest";
import { planBroker } from "../../../src/commands/broker/keys.ts";
import { notBrokered } from "../../../src/commands/broker/report.ts";
import { resolveSettings } from "../../../src/command-line/settings.ts";
import type { Values } from "../../../src/command-line/options.ts";
import { windowsEnvironment } from "../../../src/core/names.ts";
import type { Environment } from "../../../src/core/model.ts";
import { assess } from "../../../src/resolve/assess.ts";
import { planOptions } from "../../../src/commands/broker/options.ts";
import { folder } from "../../helpers/sophia.ts";

const PROGRESS = async () => ({ waiting: () => {}, retrying: () => {}, done: () => {}, printLine: () => {} });
const KEY = "key-0123456789";

interface Given {
  readonly variables: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
  readonly flags?: Values;
  readonly isWindows?: boolean;
}

async function plan({ variables, environment = {}, dotenv = "", flags = {}, isWindows = false }: Given) {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables }), ".env": dotenv });
  const own: Environment = isWindows
    ? windowsEnvironment(Object.entries(environment))
    : new Map(Object.entries(environment));
  const settings = resolveSettings(flags, own);
  const assessment = await assess({ settings, environment: own, cwd, progress: PROGRESS });
  const planned = planBroker(assessment, own, planOptions(settings), () => "dummy");
  return {
    keys: planned.keys.map(({ route: { name, origin } }) => [name, origin]),
    faults: planned.faults.map(({ name, fault }) => [name, fault.kind]),
    outer: planned.outer,
    others: notBrokered(planned, assessment, own).map(({ name, why }) => [name, why]),
  };
}

describe("names in another case, as on Windows", () => {
  test.each(["openai_api_key", "Openai_Api_Key"])("a contract that declares %s brokers the key", async (name) => {
    const given = { variables: { [name]: {} }, environment: { OPENAI_API_KEY: KEY }, isWindows: true };
    expect(await plan(given)).toEqual({
      keys: [["OPENAI_API_KEY", "https://api.openai.com"]],
      faults: [],
      outer: [],
      others: [],
    });
    expect(await plan({ ...given, environment: { openai_api_key: KEY } })).toMatchObject({
      keys: [["OPENAI_API_KEY", "https://api.openai.com"]],
    });
  });

  test("an address in another case is the same address", async () => {
    const environment = { qdrant_api_key: KEY, Qdrant_Url: "https://q.test" };
    const variables = { qdrant_api_key: {}, qdrant_url: { secret: false } };
    expect(await plan({ variables, environment, isWindows: true })).toMatchObject({
      keys: [["QDRANT_API_KEY", "https://q.test"]],
    });
    const found = { variables, environment: { qdrant_api_key: KEY }, dotenv: "Qdrant_URL=https://evil.test\n" };
    expect(await plan({ ...found, isWindows: true })).toMatchObject({
      keys: [],
      faults: [["QDRANT_API_KEY", "untrusted"]],
    });
  });

  test("elsewhere it is another variable", async () => {
    expect(await plan({ variables: { openai_api_key: {} }, environment: { OPENAI_API_KEY: KEY } })).toMatchObject({
      keys: [],
      others: [["OPENAI_API_KEY", "undeclared"]],
    });
  });
});

describe("keys that are left alone", () => {
  const variables = { OPENAI_API_KEY: {}, MY_KEY: {}, GROQ_API_KEY: { broker: false }, CERT: {} };

  test("are those of an outer sophia-run, unless another source has the value", async () => {
    const environment = { SOPHIA_BROKERED: "OPENAI_API_KEY,TAVILY_API_KEY" };
    expect(await plan({ variables, environment: { ...environment, OPENAI_API_KEY: KEY } })).toMatchObject({
      keys: [],
      outer: ["OPENAI_API_KEY"],
    });
    expect(await plan({ variables, environment, dotenv: `OPENAI_API_KEY=${KEY}\n` })).toMatchObject({
      keys: [["OPENAI_API_KEY", "https://api.openai.com"]],
      outer: [],
    });
  });

  test("have a reason", async () => {
    const environment = { MY_KEY: KEY, GROQ_API_KEY: KEY, MISTRAL_API_KEY: KEY };
    expect((await plan({ variables, environment })).others).toEqual([
      ["MISTRAL_API_KEY", "undeclared"],
      ["MY_KEY", "unknown"],
      ["GROQ_API_KEY", "contract"],
    ]);
    expect((await plan({ variables, flags: { fake: true } })).keys).toEqual([]);
  });
});

test.each(["https://api.example.com/x", "api.example.com", "ftp://api.example.com", "https://u@api.example.com"])(
  "--broker-to takes origins alone, not %s",
  async (origin) => {
    await expect(plan({ variables: {}, flags: { "broker-to": [origin] } })).rejects.toMatchObject({ code: "settings" });
  },
);
