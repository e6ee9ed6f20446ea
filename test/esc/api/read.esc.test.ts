import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EscServer, num, secret, startEscServer, unknown } from "../../esc-server/index.ts";
import { closeStrictly, expectEscFailure, expectEscReading, valuesByName, requireVariable } from "../read-esc.ts";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
});
afterEach(async () => {
  await closeStrictly(server);
});

function accessVariables(name: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ESC_ENV: name, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url, ...more };
}

describe("an environment", () => {
  test("is read in two requests on one connection", async () => {
    server.environment("demo-org/sophia/dev", { values: { URL: "https://x.example", KEY: secret("s3cret") } });
    const result = await expectEscReading(accessVariables("demo-org/sophia/dev"));
    expect(valuesByName(result)).toEqual({ URL: "https://x.example", KEY: "s3cret" });
    expect(requireVariable(result, "KEY")).toEqual({
      name: "KEY",
      value: "s3cret",
      secret: true,
      delivery: "value",
      origin: { source: "esc", environment: "demo-org/sophia/dev", line: 4 },
    });
    expect(requireVariable(result, "URL").secret).toBe(false);
    expect(result.environments).toEqual([{ name: "demo-org/sophia/dev" }]);
    expect(result.notices).toEqual([]);
    expect(server.calls.map(({ operation }) => operation)).toEqual(["open", "read"]);
    expect(server.connections).toBe(1);
  });

  test("without values gives an empty layer", async () => {
    server.environment("demo-org/sophia/empty", {});
    const result = await expectEscReading(accessVariables("demo-org/sophia/empty"));
    expect(result.layers).toEqual([{ source: "esc", variables: [] }]);
    expect(result.notices).toEqual([]);
  });

  test("can be pinned to a revision or a tag", async () => {
    const dev = server.environment("demo-org/sophia/dev", { values: { A: "one" }, tags: ["stable"] });
    dev.revise({ values: { A: "two" } });
    expect(valuesByName(await expectEscReading(accessVariables("demo-org/sophia/dev")))).toEqual({ A: "two" });
    expect(valuesByName(await expectEscReading(accessVariables("demo-org/sophia/dev@1")))).toEqual({ A: "one" });
    const tagged = await expectEscReading(accessVariables("demo-org/sophia/dev@stable"));
    expect(valuesByName(tagged)).toEqual({ A: "one" });
    expect(tagged.environments).toEqual([{ name: "demo-org/sophia/dev", version: "stable" }]);
    expect(requireVariable(tagged, "A").origin).toEqual({
      source: "esc",
      environment: "demo-org/sophia/dev",
      version: "stable",
      line: 3,
    });
    expect((await expectEscFailure(accessVariables("demo-org/sophia/dev@9"))).code).toBe("esc-not-found");
  });

  test("may be on a backend with a port and a path prefix", async () => {
    await using prefixed = await startEscServer({ basePath: "/pulumi/cloud" });
    prefixed.environment("demo-org/sophia/dev", { values: { A: "x" } });
    const variables = { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: prefixed.token };
    expect(valuesByName(await expectEscReading({ ...variables, PULUMI_BACKEND_URL: `${prefixed.url}/` }))).toEqual({
      A: "x",
    });
    expect(valuesByName(await expectEscReading({ ...variables, PULUMI_BACKEND_URL: prefixed.url }))).toEqual({
      A: "x",
    });
    expect(prefixed.violations).toEqual([]);
  });

  test("may be on a backend with an IPv6 address", async () => {
    await using six = await startEscServer({ host: "::1" });
    six.environment("demo-org/sophia/dev", { values: { A: "x" } });
    const variables = { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: six.token, PULUMI_BACKEND_URL: six.url };
    expect(valuesByName(await expectEscReading(variables))).toEqual({ A: "x" });
    expect(six.violations).toEqual([]);
  });

  test("is opened with a token that begins with the word that the SDK adds", async () => {
    server.addToken({ owner: { kind: "personal", login: "demo-user" }, value: "tokenised-abc" });
    server.environment("demo-org/sophia/dev", { values: { A: "x" } });
    expect(
      valuesByName(await expectEscReading(accessVariables("demo-org/sophia/dev", { ESC_TOKEN: "tokenised-abc" }))),
    ).toEqual({ A: "x" });
  });
});

describe("values of ESC", () => {
  test("become the same text that ESC wrote into its answer", async () => {
    server.environment("demo-org/sophia/dev", {
      values: {
        TEXT: 'quotes " and \\ and ü and \u{1F511}\nnext line',
        EMPTY: "",
        YES: true,
        NO: secret(false),
        INTEGER: 8080,
        DECIMAL: num("1.0"),
        BIG: secret(num("123456789012345678901234567890")),
        EXPONENT: num("-1.50E+3"),
        NULL: null,
        LOOKS_LIKE_NUMBER: "0012",
        TRICKY: '\\" 7, "8": 9',
        constructor: "not inherited",
        __proto__: "dropped by this literal",
      },
    });
    expect(valuesByName(await expectEscReading(accessVariables("demo-org/sophia/dev")))).toEqual({
      TEXT: 'quotes " and \\ and ü and \u{1F511}\nnext line',
      EMPTY: "",
      YES: "true",
      NO: "false",
      INTEGER: "8080",
      DECIMAL: "1.0",
      BIG: "123456789012345678901234567890",
      EXPONENT: "-1.50E+3",
      NULL: "",
      LOOKS_LIKE_NUMBER: "0012",
      TRICKY: '\\" 7, "8": 9',
      constructor: "not inherited",
    });
  });

  test.each(["omit", "explicit"] as const)("are unset and named if they are unknown (nulls: %s)", async (nulls) => {
    server.environment("demo-org/sophia/dev", {
      values: { KNOWN: "x", LATER: unknown(), NULL: null, LIST: ["a"], OBJECT: { value: "x" } },
      nulls,
    });
    const result = await expectEscReading(accessVariables("demo-org/sophia/dev"));
    expect(valuesByName(result)).toEqual({ KNOWN: "x", NULL: "" });
    expect(result.notices).toEqual([
      { kind: "esc-skipped", environment: "demo-org/sophia/dev", names: ["LATER"], why: "unknown" },
      { kind: "esc-skipped", environment: "demo-org/sophia/dev", names: ["LIST", "OBJECT"], why: "list-or-object" },
    ]);
  });

  test("of files are delivered as files and win over variables of the same name", async () => {
    server.environment("demo-org/sophia/dev", {
      values: { KUBECONFIG: "from values", OTHER: "x" },
      files: { KUBECONFIG: secret("apiVersion: v1\n"), PORT: num("1.50") },
    });
    const result = await expectEscReading(accessVariables("demo-org/sophia/dev"));
    expect(valuesByName(result)).toEqual({ KUBECONFIG: "apiVersion: v1\n", OTHER: "x", PORT: "1.50" });
    expect(requireVariable(result, "KUBECONFIG")).toMatchObject({ delivery: "file", secret: true });
    expect(requireVariable(result, "PORT")).toMatchObject({ delivery: "file", secret: false });
    expect(requireVariable(result, "OTHER")).toMatchObject({ delivery: "value", secret: false });
  });

  test("have the import that defines them", async () => {
    server.environment("demo-org/shared/base", { values: { BASE: "b", BOTH: "base" } });
    server.environment("demo-org/sophia/dev", { values: { OWN: "o", BOTH: "dev" }, imports: ["shared/base"] });
    const result = await expectEscReading(accessVariables("demo-org/sophia/dev"));
    expect(valuesByName(result)).toEqual({ BASE: "b", BOTH: "dev", OWN: "o" });
    expect(requireVariable(result, "BASE").origin).toEqual({
      source: "esc",
      environment: "demo-org/sophia/dev",
      importedFrom: "shared/base",
      line: 3,
    });
    expect(requireVariable(result, "BOTH").origin).toEqual({
      source: "esc",
      environment: "demo-org/sophia/dev",
      line: 6,
      overrides: [{ environment: "shared/base", line: 4 }],
    });
    expect(requireVariable(result, "OWN").origin).toEqual({
      source: "esc",
      environment: "demo-org/sophia/dev",
      line: 5,
    });
  });

  test.each([
    ["its usual name", undefined],
    ["a name of its own", "root"],
  ])("differ from those of another revision of the same environment, under %s", async (_, rootName) => {
    server.environment("demo-org/sophia/dev", { values: { OLD: "o", BOTH: secret("s3cret-old") } });
    server.environment("demo-org/sophia/dev", {
      values: { BOTH: "new" },
      imports: ["sophia/dev@1"],
      ...(rootName === undefined ? {} : { rootName }),
    });
    const result = await expectEscReading(accessVariables("demo-org/sophia/dev"));
    expect(requireVariable(result, "OLD").origin).toMatchObject({ importedFrom: "sophia/dev@1", line: 3 });
    const { origin } = requireVariable(result, "BOTH");
    expect(origin).toMatchObject({ overrides: [{ environment: "sophia/dev@1", line: 4 }] });
    expect(origin).not.toHaveProperty("importedFrom");
    expect(JSON.stringify(result)).not.toContain("s3cret-old");
  });

  test("name every import with a value that they replace", async () => {
    server.environment("demo-org/a/one", { values: { A: "1" } });
    server.environment("demo-org/a/two", { definition: "imports: [a/one]\nvalues: {environmentVariables: {A: '2'}}" });
    server.environment("demo-org/sophia/dev", { values: { A: "3" }, imports: ["a/two"] });
    expect(requireVariable(await expectEscReading(accessVariables("demo-org/sophia/dev")), "A").origin).toMatchObject({
      overrides: [
        { environment: "a/two", line: 2 },
        { environment: "a/one", line: 3 },
      ],
    });
  });

  test("of an unknown file hide a variable of the same name", async () => {
    server.environment("demo-org/sophia/dev", {
      values: { KUBECONFIG: "x", A: "a" },
      files: { KUBECONFIG: unknown() },
    });
    const result = await expectEscReading(accessVariables("demo-org/sophia/dev"));
    expect(valuesByName(result)).toEqual({ A: "a" });
    expect(result.notices).toMatchObject([{ names: ["KUBECONFIG"], why: "unknown" }]);
  });
});
