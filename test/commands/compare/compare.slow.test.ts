import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { secret, startEscServer, type EscServer } from "../../esc-server/index.ts";
import { REFUSED_PORT } from "../../esc-server/sockets.ts";
import { folder, sophia, type ProcessResult, type RunOptions, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL, sentinelOf } from "../sophia-environment.ts";

const CONTRACT = {
  variables: {
    API_URL: { required: true, format: "url", aliases: ["API_ENDPOINT"] },
    API_KEY: {},
    LEVEL: { default: "info" },
    PORT: { secret: false, format: "port" },
    NOWHERE: {},
    PROXY_USER: {},
    PROXY_PASSWORD: { required: { when: "PROXY_USER" } },
  },
};

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Runs `check --against`, which must print no secret, open nothing and follow the protocol. */
async function runCheck(
  against: string,
  options: readonly string[] = [],
  more: RunOptions = {},
): Promise<ProcessResult> {
  const result = await sophia(["check", "--against", against, ...options], {
    cwd: folder({ "sophia.contract.json": JSON.stringify(CONTRACT) }),
    ...more,
    env: { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token, ...more.env },
  });
  const output = result.stdout + result.stderr;
  expect(output).not.toContain(SENTINEL);
  expect(output).not.toContain(server.token);
  expect(output).not.toContain(server.token.slice(-6));
  expect(server.count("open")).toBe(0);
  expect(server.violations).toEqual([]);
  return result;
}

/** The cells of one row, its mark first where it has one. */
function findRow({ stdout }: ProcessResult, name: string): string[] {
  const line = stdout.split("\n").find((text) => new RegExp(`^[! ] ${name}( |$)`).test(text)) ?? "";
  return line.trim().split(/\s+/);
}

const MET = { API_URL: "https://api.test", API_KEY: secret(sentinelOf("key")) };

describe("compare's table", () => {
  test("shows declared variables by environment, and drift", async () => {
    server.environment("acme/app/dev", {
      values: { ...MET, PORT: 8080, EXTRA: SENTINEL, COMMON: SENTINEL, LEVEL: "debug" },
    });
    server.environment("acme/app/staging", {
      values: { API_ENDPOINT: "https://api.test", API_KEY: secret(sentinelOf("key")), PORT: SENTINEL, COMMON: "" },
    });
    server.environment("acme/app/prod", { values: { API_URL: "https://api.test", PORT: ["x"], COMMON: "1" } });
    const result = await runCheck("acme/app/dev,acme/app/staging,acme/app/prod");
    expect(result.status).toBe(1);
    expect(findRow(result, "Variable")).toEqual(["Variable", "dev", "staging", "prod"]);
    expect(findRow(result, "API_URL")).toEqual(["API_URL", "set", "set", "set"]);
    expect(findRow(result, "API_KEY")).toEqual(["!", "API_KEY", "set*", "set*", "missing"]);
    expect(findRow(result, "LEVEL")).toEqual(["LEVEL", "set", "default", "default"]);
    expect(findRow(result, "PORT")).toEqual(["!", "PORT", "set", "invalid", "list"]);
    expect(findRow(result, "NOWHERE")).toEqual(["NOWHERE", "-", "-", "-"]);
    expect(result.stdout).toMatch(/Not declared by the contract:\n! EXTRA {2,}set +missing +missing\n/);
    expect(result.stdout).not.toContain("COMMON");
    expectWording(result.stdout.slice(result.stdout.indexOf("\n\n!  ")));
    expect(result.stdout).toMatch(/⚠️ Drift in 3 variables: --strict.*\n/);
    expect(result.stdout).toMatch(/❌ .* not met by acme\/app\/staging\n/);
    for (const line of result.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(server.count("check")).toBe(3);
  });

  test("has status 0 if all environments set the same variables, even to different secrets", async () => {
    server.environment("acme/app/dev", { values: MET });
    server.environment("acme/app/prod", {
      values: { API_URL: "https://other.test", API_KEY: secret(sentinelOf("other")) },
      files: { NOWHERE: secret(sentinelOf("file")) },
    });
    server.environment("acme/app/dev", { values: MET, files: { NOWHERE: secret(sentinelOf("file")) } });
    const result = await runCheck("acme/app/dev,acme/app/prod");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(findRow(result, "NOWHERE")).toEqual(["NOWHERE", "set*", "set*"]);
    expect(result.stdout).toContain("✅ No drift");
  });

  test("shows values from a provider as unknown: one value, or all of them", async () => {
    server.provider("vault", sentinelOf("minted"));
    server.provider("several", { API_KEY: sentinelOf("minted"), EXTRA: ["a"] });
    const open = "fn::open::vault: {}";
    server.environment("acme/app/dev", {
      definition: `values:\n  environmentVariables:\n    API_URL:\n      ${open}\n    API_KEY:\n      ${open}\n`,
    });
    server.environment("acme/app/prod", {
      definition: `values:\n  environmentVariables:\n    fn::open::several: {}\n`,
    });
    const result = await runCheck("acme/app/dev,acme/app/prod");
    expect(result.status).toBe(0);
    // The schema of what the provider gives names one of them.
    expect(findRow(result, "API_URL")).toEqual(["API_URL", "set*", "?"]);
    expect(findRow(result, "API_KEY")).toEqual(["API_KEY", "set*", "set*"]);
    expect(findRow(result, "NOWHERE")).toEqual(["NOWHERE", "missing", "?"]);
    expect(result.stdout).toContain("\n?        not known");
    expectWording(result.stdout.slice(result.stdout.indexOf("\nESC:")));
  });

  test("keeps to 100 columns with many environments and long names", async () => {
    const long = `A_${"LONG_".repeat(12)}NAME`;
    const names = Array.from({ length: 14 }, (_, index) => `acme/project-${index}/environment-of-some-length-${index}`);
    for (const name of names) server.environment(name, { values: { ...MET, [long]: "x" } });
    server.environment(names[0] ?? "", { values: MET });
    const result = await runCheck(names.join(","), ["--strict"]);
    expect(result.status).toBe(1);
    expect(result.stdout).toContain(`${names[13]} ([14])`);
    for (const line of result.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(result.stdout).toContain(`! ${long}\n`);
  });
});

describe("compare checks the contract's rules:", () => {
  test("it lists each rule that is certainly not met for its environment with a remedy, even without drift", async () => {
    for (const name of ["dev", "prod"]) {
      server.environment(`acme/app/${name}`, { values: { PROXY_USER: secret(sentinelOf("user")) } });
    }
    const result = await runCheck("acme/app/dev,acme/app/prod");
    expect(result.status).toBe(1);
    expect(result.stdout).toMatch(/--- acme\/app\/dev ---\n❌ API_URL /);
    expect(result.stdout).toMatch(/PROXY_PASSWORD .*PROXY_USER is set/);
    // One remedy for each environment, in lines of 80 columns.
    expect(result.stdout.match(/sophia-run set API_URL --in acme\/app\/prod$/gm)).toHaveLength(1);
    expect(result.stdout.match(/sophia-run set/g)).toHaveLength(2);
    const [, unmet = ""] = /(--- acme\/app\/dev ---.*)--- Summary/s.exec(result.stdout) ?? [];
    expect(unmet.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(unmet).toContain("acme/app/prod");
    expect(result.stdout).not.toContain("Drift");
  });

  test("it does not check a secret of unknown value against its format", async () => {
    server.environment("acme/app/dev", { values: { API_URL: secret(sentinelOf("no-url")) } });
    server.environment("acme/app/prod", { values: { API_URL: secret(sentinelOf("no-url")) } });
    expect((await runCheck("acme/app/dev,acme/app/prod")).status).toBe(0);
  });

  test("it accepts one environment alone, as the gate of a deployment", async () => {
    server.environment("acme/app/dev", { values: {} });
    const unmet = await runCheck("acme/app/dev");
    expect(unmet).toMatchObject({ status: 1, stderr: "" });
    expect(unmet.stdout).toMatch(/❌ .* not met by acme\/app\/dev\n/);
    server.environment("acme/app/dev", { values: MET });
    const met = await runCheck("acme/app/dev", ["--strict"]);
    expect(met).toMatchObject({ status: 0, stderr: "" });
    expect(met.stdout).toMatch(/✅ .* is met by acme\/app\/dev/);
    expectWording(met.stdout.slice(met.stdout.indexOf("\nESC:")));
    expect(met.stdout).not.toContain("rift");
  });

  test("drift alone fails with --strict only, a violation always", async () => {
    server.environment("acme/app/dev", { values: { ...MET, EXTRA: SENTINEL } });
    server.environment("acme/app/prod", { values: MET });
    const both = "acme/app/dev,acme/app/prod";
    const lenient = await runCheck(both);
    expect(lenient.status).toBe(0);
    expect(lenient.stdout).toContain("⚠️ Drift in 1 variable: ");
    const strict = await runCheck(both, ["--strict"]);
    expect(strict.status).toBe(1);
    expect(strict.stdout).toContain("❌ Drift in 1 variable (--strict)\n");
    expect(JSON.parse((await runCheck(both, ["--json"])).stdout)).toMatchObject({
      passed: true,
      met: true,
      drift: true,
    });
    const asJson = await runCheck(both, ["--json", "--strict"]);
    expect(asJson.status).toBe(1);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ passed: false, met: true, drift: true });
  });

  test("variables outside of --scope neither fail nor drift", async () => {
    const contract = {
      variables: { API_KEY: { required: true }, JOB_KEY: { required: true } },
      scopes: { web: ["API_KEY"] },
    };
    const cwd = folder({ "sophia.contract.json": JSON.stringify(contract) });
    server.environment("acme/app/dev", { values: { API_KEY: secret(sentinelOf("key")), JOB_KEY: "x", EXTRA: "x" } });
    server.environment("acme/app/prod", { values: { API_KEY: secret(sentinelOf("key")) } });
    const both = "acme/app/dev,acme/app/prod";
    expect((await runCheck(both, [], { cwd })).status).toBe(1);
    const scoped = await runCheck(both, ["--strict", "--scope", "web"], { cwd });
    expect(scoped.status).toBe(0);
    expect(scoped.stdout).toContain("(scope web)");
    expect(scoped.stdout).not.toMatch(/JOB_KEY|EXTRA/);
  });

  test("--strict fails if there is nothing to compare", async () => {
    const result = await sophia(["check", "--strict"]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("--strict needs --against");
  });
});

test("compare --json is versioned and holds no value", async () => {
  server.environment("acme/app/dev", { values: { ...MET, EXTRA: SENTINEL } });
  server.environment("acme/app/prod", { values: { API_KEY: secret(sentinelOf("key")) } });
  const result = await runCheck("acme/app/dev,acme/app/prod", ["--json"]);
  expect(result.status).toBe(1);
  expect(JSON.parse(result.stdout)).toMatchObject({
    version: 1,
    passed: false,
    met: false,
    drift: true,
    environments: [
      { name: "acme/app/dev", violations: [] },
      { name: "acme/app/prod", violations: [{ kind: "missing", names: ["API_URL"] }] },
    ],
    variables: expect.arrayContaining([
      {
        name: "API_URL",
        declared: true,
        secret: true,
        drift: true,
        states: { "acme/app/dev": "set", "acme/app/prod": "missing" },
      },
      expect.objectContaining({
        name: "API_KEY",
        drift: false,
        states: { "acme/app/dev": "value-not-known", "acme/app/prod": "value-not-known" },
      }),
      expect.objectContaining({ name: "EXTRA", declared: false, drift: true }),
    ]),
  });
});

describe("compare resolves names:", () => {
  test("it looks up a default organization, and tries the old form org/env", async () => {
    server.environment("demo-org/default/dev", { values: MET });
    server.environment("acme/app/prod", { values: MET });
    const result = await runCheck("demo-org/dev,app/prod");
    expect(result.status).toBe(0);
    expect(unwrapLines(result.stderr)).toMatch(
      /^sophia-run: warning: .* acme\/demo-org\/dev: .* read as demo-org\/default\/dev; .+\n$/,
    );
    expect(findRow(result, "Variable")).toEqual(["Variable", "demo-org/default/dev", "acme/app/prod"]);
    expect(server.count("defaultOrg")).toBe(1);
  });

  test("it completes names of two parts by ESC_ORG, and ignores ESC_ENV", async () => {
    server.environment("acme/app/dev", { values: MET });
    server.environment("acme/app/prod", { values: MET });
    const result = await runCheck("app/dev,app/prod", [], { env: { ESC_ORG: "acme", ESC_ENV: "acme/other/env" } });
    expect(result.status).toBe(0);
    expect(result.stdout).toContain("acme/app/dev");
    expect(server.count("defaultOrg")).toBe(0);
  });

  test("it evaluates the pinned revision or tag", async () => {
    server.environment("acme/app/dev", { values: {}, tags: ["empty"] });
    server.environment("acme/app/dev", { values: MET });
    const result = await runCheck("acme/app/dev@empty,acme/app/dev@2");
    expect(result.status).toBe(1);
    expect(findRow(result, "Variable")).toEqual(["Variable", "dev@empty", "dev@2"]);
    expect(findRow(result, "API_KEY")).toEqual(["!", "API_KEY", "missing", "set*"]);
    expect((await runCheck("acme/app/dev@2,acme/app/dev@9")).stderr).toContain("acme/app/dev@9");
  });
});

describe("compare ends with 125 and names the environment that it cannot compare", () => {
  beforeEach(() => {
    server.environment("acme/app/dev", { values: MET });
  });

  test.each([
    ["acme/app/dev,acme/app/none", "acme/app/none was", "check the value of --against;"],
    ["acme/app/dev,,", "empty name", "organization/project"],
    ["a/b/c/d", "--against: 'a/b/c/d' has 4 parts", "organization/project"],
  ])("--against %s", async (against, message, advice) => {
    const result = await runCheck(against);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain(advice);
  });

  test("if ESC refuses one environment (403)", async () => {
    server.environment("acme/app/prod", { values: { A: SENTINEL }, deny: 403 });
    const result = await runCheck("acme/app/dev,acme/app/prod");
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(result.stderr)).toMatch(/acme\/app\/prod was .*HTTP 403/);
  });

  test("if there is no connection", async () => {
    const result = await runCheck("acme/app/dev", ["--timeout", "1s"], {
      env: { PULUMI_BACKEND_URL: `http://127.0.0.1:${REFUSED_PORT}` },
    });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("ECONNREFUSED");
  });

  test("if ESC fails lastingly, and retries a temporary failure", async () => {
    server.failNext("check", 503);
    expect((await runCheck("acme/app/dev")).status).toBe(0);
    server.failAlways("check", "hang");
    const result = await runCheck("acme/app/dev", ["--timeout", "500ms"]);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("timed out after 500 ms");
  });

  test.each(["html", "empty", "truncated", "invalidJson"] as const)("if an answer is %s", async (fault) => {
    server.failAlways("check", fault);
    const result = await runCheck("acme/app/dev");
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("acme/app/dev ");
  });

  test("if a definition has errors, which it reports with their locations", async () => {
    server.environment("acme/app/bad", { definition: "values:\n  environmentVariables:\n    A: ${nowhere}\n" });
    const result = await runCheck("acme/app/dev,acme/app/bad");
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toMatch(/app\/bad:3:10: /);
  });

  test("if there is no credential, or with --fake", async () => {
    const without = await runCheck("acme/app/dev", [], { env: { ESC_TOKEN: "" } });
    expect(without).toMatchObject({ status: 125, stdout: "" });
    expect(without.stderr).toContain("ESC_TOKEN is not set");
    const fake = await runCheck("acme/app/dev", ["--fake"]);
    expect(fake).toMatchObject({ status: 125, stdout: "" });
    expect(fake.stderr).toContain("--fake");
  });
});
