import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { num, secret, startEscServer, unknown, type EscServer, type ValueSpec } from "../../esc-server/index.ts";
import { caseCount } from "../../helpers/seed.ts";
import { type ProcessResult, folder, sophia } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { escVariables, SENTINEL, sentinelOf } from "../sophia-environment.ts";

const contractIn = (cwd: string): { variables: Record<string, object> } =>
  JSON.parse(readFileSync(join(cwd, "sophia.contract.json"), "utf8"));

const NAMES = [
  "API_URL",
  "DB_PORT",
  "PORT",
  "DEBUG",
  "LEVEL",
  "toString",
  "__proto__",
  "lower_case",
  "with.dot",
  "with-dash",
  "with space",
  "ünicode",
  "0_DIGIT",
  "L".repeat(300),
  "NODE_ENV",
  "QDRANT_URL",
  "PULUMI_ACCESS_TOKEN",
];
const VALUES: readonly ValueSpec[] = [
  null,
  "",
  " \t",
  "\u200B",
  "changeme",
  "<your-key>",
  "https://<host>/x",
  "xxx",
  "tcp://10.0.0.1:80",
  "8080",
  8080,
  num("1.0"),
  true,
  "True",
  ["a"],
  { a: "b" },
  secret("s3cret-value"),
  secret(""),
  secret(["a"]),
  unknown(),
];

const STARTED = { status: 0, stdout: "started\n" };

/** Starts with the contract that `init --from esc` wrote for an environment. */
async function startAfterInit(server: EscServer, environments: string): Promise<ProcessResult> {
  const cwd = folder();
  const env = escVariables(server, environments);
  const written = await sophia(["init", "--from", "esc"], { cwd, env });
  expect([written.status, written.stderr]).toEqual([0, ""]);
  expect(server.count("open")).toBe(0);
  const started = await sophia(["--require-esc", "--", "echo", "started"], { cwd, env });
  expect(server.violations).toEqual([]);
  server.reset();
  return started;
}

describe("a start meets the contract that was written from the same environments", () => {
  test("whatever the environments hold", async () => {
    const some = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES), { maxKeys: 12 });
    const style = fc.record({ nulls: fc.constantFrom("omit", "explicit"), trace: fc.boolean(), details: fc.boolean() });
    const holds = fc.asyncProperty(some, some, some, some, style, async (base, files, own, more, form) => {
      await using server = await startEscServer();
      server.environment("acme/app/base", { values: base, files, ...form });
      server.environment("acme/app/dev", { values: own, imports: ["app/base"], ...form });
      server.environment("acme/app/more", { values: more, ...form });
      expect(await startAfterInit(server, "acme/app/dev")).toMatchObject(STARTED);
      expect(await startAfterInit(server, "acme/app/dev,acme/app/more")).toMatchObject(STARTED);
    });
    await fc.assert(holds, { numRuns: caseCount(3, 40), endOnFailure: true });
  });

  test("for every name with every value", async () => {
    await using server = await startEscServer();
    const named = VALUES.flatMap((value, index) =>
      ["PORT", "URL", "X"].map((word): [string, ValueSpec] => [`V${index}_${word}`, value]),
    );
    server.environment("acme/app/dev", { values: Object.fromEntries(named) });
    expect(await startAfterInit(server, "acme/app/dev")).toMatchObject(STARTED);
    server.environment("acme/app/dev", { values: {}, files: Object.fromEntries(named) });
    expect(await startAfterInit(server, "acme/app/dev")).toMatchObject(STARTED);
  });

  test("and takes a value in plain text that looks like a secret for a secret", async () => {
    await using server = await startEscServer();
    const plain = { LOG_LEVEL: "debug", API_KEY: sentinelOf("key"), DATABASE_URL: `postgresql://u:${SENTINEL}@h/d` };
    server.environment("acme/app/dev", { values: plain });
    const cwd = folder();
    await sophia(["init", "--from", "esc"], { cwd, env: escVariables(server, "acme/app/dev") });
    expect(contractIn(cwd).variables).toEqual({
      LOG_LEVEL: { secret: false },
      API_KEY: {},
      DATABASE_URL: { format: "url" },
    });
  });

  test("if providers have their types in the schema", async () => {
    await using server = await startEscServer();
    server.provider("object", { id: "i", list: ["l"], key: secret(sentinelOf("key")) });
    server.provider("text", sentinelOf("text"));
    server.provider("nothing", null);
    server.environment("acme/app/dev", {
      definition: [
        "values:",
        "  login: {fn::open::object: {}}",
        "  environmentVariables:",
        "    WHOLE: {fn::open::object: {}}",
        "    REFERENCE: ${login}",
        "    LIST: ${login.list}",
        "    ID: ${login.id}",
        "    TEXT: {fn::open::text: {}}",
        "    NOTHING: {fn::open::nothing: {}}",
        "    JSON: {fn::toJSON: '${login}'}",
      ].join("\n"),
    });
    const cwd = folder();
    const env = escVariables(server, "acme/app/dev");
    expect((await sophia(["init", "--from", "esc"], { cwd, env })).status).toBe(0);
    expect(Object.keys(contractIn(cwd).variables)).toEqual(["ID", "TEXT", "NOTHING", "JSON"]);
    expect((await sophia(["--", "true"], { cwd, env })).status).toBe(0);

    server.environment("acme/app/dev", { definition: "values: {environmentVariables: {fn::open::object: {}}}" });
    const whole = folder();
    expect((await sophia(["init", "--from", "esc"], { cwd: whole, env })).status).toBe(0);
    expect(Object.keys(contractIn(whole).variables)).toEqual(["id", "key"]);
    expect((await sophia(["--", "true"], { cwd: whole, env })).status).toBe(0);
  });

  test.each([true, false])("if there are no values (environmentFunctionSummary: %s)", async (summary) => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", { summary });
    expect(await startAfterInit(server, "acme/app/dev")).toMatchObject(STARTED);
    const compared = await sophia(["check", "--against", "acme/app/dev"], { env: escVariables(server) });
    expect([compared.status, compared.stderr]).toEqual([1, ""]);
    expect(compared.stdout).toContain("not met by acme/app/dev");
  });

  test("if everything is required that may be; other variables are optional or left out", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", {
      values: { KEY: secret(sentinelOf("key")), DB_PORT: "tcp://x", NULL: null, EMPTY: "", LATER: "changeme" },
    });
    const cwd = folder();
    const env = escVariables(server, "acme/app/dev");
    const answers = [
      ["for none: ", "all\n"],
      ["into the contract?", "\n"],
    ] as const;
    const { status, stdout } = await atTerminal(["init", "--from", "esc"], { cwd, env }, answers);
    expect(status).toBe(0);
    expect(stdout).toContain(": NULL and EMPTY\r\n");
    expect(stdout).toContain(": LATER\r\n");
    expect(stdout).not.toContain(SENTINEL);
    expect(contractIn(cwd).variables).toEqual({
      KEY: { required: true },
      DB_PORT: { required: true },
      NULL: {},
      EMPTY: {},
    });
    expect((await sophia(["--", "true"], { cwd, env })).status).toBe(0);
  });
});

describe("the ESC environment", () => {
  test("is written into the contract if the user agrees, who needs neither ESC_ENV nor another consent afterwards", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", { values: { KEY: secret(sentinelOf("key")) } });
    const cwd = folder();
    const { ESC_ENV, ...token } = escVariables(server, "acme/app/dev");
    const { status } = await atTerminal(["init", "--from", "esc"], { cwd, env: { ...token, ESC_ENV: `${ESC_ENV}` } }, [
      ["for none: ", "all\n"],
      ["into the contract?", "y\n"],
    ]);
    expect(status).toBe(0);
    expect(contractIn(cwd)).toMatchObject({ environment: "acme/app/dev", variables: { KEY: { required: true } } });
    expect(await sophia(["--", "true"], { cwd, env: token })).toMatchObject({ status: 0, stderr: "" });
  });

  test("is only named if there is no terminal", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", { values: { KEY: secret(sentinelOf("key")) } });
    const cwd = folder();
    const { stdout } = await sophia(["init", "--from", "esc"], { cwd, env: escVariables(server, "acme/app/dev") });
    expect(stdout).toContain('"environment": "acme/app/dev"');
    expect(contractIn(cwd)).not.toHaveProperty("environment");
  });
});
