import { describe, expect, test } from "vitest";
import { secret, startEscServer, type EscServer } from "../esc-server/index.ts";
import { folder, sophia, type Ended } from "../helpers/sophia.ts";
import { SENTINEL, sentinel } from "./world.ts";

const CONTRACT = JSON.stringify({
  variables: {
    API_URL: { required: true, format: "url", aliases: ["API_ENDPOINT"] },
    API_KEY: { required: true },
    LEVEL: { secret: false },
    NOWHERE: {},
  },
});

function variables(server: EscServer): Record<string, string> {
  return { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token };
}

/** The cells of one row. */
function cells({ stdout }: Ended, name: string): string[] {
  const line = stdout.split("\n").find((text) => new RegExp(`(^|\\s)${name}(\\s|$)`).test(text)) ?? "";
  return line.trim().split(/\s{2,}/);
}

test("one table, no value, 1 on drift, and nothing is opened", async () => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", {
    values: {
      API_URL: "https://SENTINEL-9f2c.test",
      API_KEY: secret(sentinel("key")),
      LEVEL: "debug",
      EXTRA: SENTINEL,
    },
  });
  server.environment("acme/app/prod", { values: { API_ENDPOINT: `no-url ${SENTINEL}`, LEVEL: "", LIST: ["x"] } });
  const ended = await sophia(["check", "--against", "acme/app/dev,acme/app/prod"], {
    cwd: folder({ "sophia.contract.json": CONTRACT }),
    env: variables(server),
  });
  expect(ended.status).toBe(1);
  expect(cells(ended, "Variable")).toEqual(["Variable", "acme/app/dev", "acme/app/prod"]);
  expect(cells(ended, "API_URL")).toEqual(["❌ API_URL", "set", "not valid"]);
  expect(cells(ended, "API_KEY")).toEqual(["❌ API_KEY", "set, value not known", "missing"]);
  expect(cells(ended, "LEVEL")).toEqual(["❌ LEVEL", "set", "missing"]);
  expect(cells(ended, "NOWHERE")).toEqual(["➖ NOWHERE", "missing", "missing"]);
  expect(cells(ended, "EXTRA")).toEqual(["➖ EXTRA", "set", "missing"]);
  expect(ended.stdout).toContain("2 declared variables not in every environment: API_KEY, LEVEL");
  expect(ended.stdout + ended.stderr).not.toContain(SENTINEL);
  expect(server.count("open")).toBe(0);
  expect(server.count("check")).toBe(2);
  expect(server.violations).toEqual([]);
});

test("0 where every declared variable is everywhere or nowhere; undeclared ones do not count", async () => {
  await using server = await startEscServer();
  const values = { API_URL: "https://api.test", API_KEY: secret(sentinel("key")) };
  for (const name of ["dev", "staging", "prod"]) server.environment(`acme/app/${name}`, { values });
  server.environment("acme/app/prod", { values: { ...values, EXTRA: "x" } });
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  const args = ["check", "--against=app/dev,app/staging,app/prod"];
  const ended = await sophia(args, { cwd, env: { ...variables(server), ESC_ORG: "acme" } });
  expect(ended.status).toBe(0);
  expect(cells(ended, "API_KEY")).toEqual(["✅ API_KEY", ...Array.from({ length: 3 }, () => "set, value not known")]);
  expect(ended.stdout).toContain("it is not opened here");

  const json = await sophia([...args, "--json"], { cwd, env: { ...variables(server), ESC_ORG: "acme" } });
  expect(JSON.parse(json.stdout)).toMatchObject({
    version: 1,
    drift: false,
    environments: ["acme/app/dev", "acme/app/staging", "acme/app/prod"],
    variables: expect.arrayContaining([
      {
        name: "API_KEY",
        declared: true,
        drift: false,
        states: {
          "acme/app/dev": "value-unknown",
          "acme/app/staging": "value-unknown",
          "acme/app/prod": "value-unknown",
        },
      },
    ]),
  });
});

test("what a provider gives is unknown: a value, or all of them", async () => {
  await using server = await startEscServer();
  server.provider("aws-secrets", { value: sentinel("minted") });
  const open = "fn::open::aws-secrets: {}";
  server.environment("acme/app/dev", { definition: `values:\n  environmentVariables:\n    API_KEY:\n      ${open}\n` });
  server.environment("acme/app/prod", { definition: `values:\n  environmentVariables:\n    ${open}\n` });
  const ended = await sophia(["check", "--against", "acme/app/dev,acme/app/prod"], {
    cwd: folder({ "sophia.contract.json": CONTRACT }),
    env: variables(server),
  });
  expect(cells(ended, "API_KEY")).toEqual(["✅ API_KEY", "set, value not known", "not known"]);
  expect(cells(ended, "API_URL")).toEqual(["✅ API_URL", "missing", "not known"]);
  expect(ended.status).toBe(0);
  expect(ended.stdout).not.toContain(SENTINEL);
});

describe("what cannot be compared", () => {
  test.each([
    ["acme/app/dev,acme/app/none", "ESC environment acme/app/none cannot be read"],
    ["acme/app/dev@2,acme/app/dev", "pins a version"],
    ["acme/app/dev,,", "--against"],
    ["a/b/c/d", "--against"],
  ])("%s", async (against, message) => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", { values: {} });
    const ended = await sophia(["check", "--against", against], { env: variables(server) });
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toContain(server.token);
  });

  test("without a credential", async () => {
    const ended = await sophia(["check", "--against", "a/b,a/c"]);
    expect(ended.status).toBe(125);
    expect(ended.stderr).toContain("ESC_TOKEN is not set");
  });

  test("a definition with errors is told with its place", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", { definition: "values:\n  environmentVariables:\n    A: ${nowhere}\n" });
    const ended = await sophia(["check", "--against", "acme/app/dev"], { env: variables(server) });
    expect(ended.status).toBe(125);
    expect(ended.stderr).toMatch(/app\/dev:3:8: /);
  });
});
