import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EscServer, startEscServer, wire } from "../../esc-server/index.ts";
import { expectWording } from "../../helpers/wording.ts";
import { expectFailure } from "../expect-failure.ts";
import {
  closeStrictly,
  expectEscFailure,
  readEscFrom,
  expectEscReading,
  valuesByName,
  requireVariable,
} from "../read-esc.ts";

let server: EscServer;
beforeEach(async () => {
  server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { A: "x" } });
});
afterEach(() => closeStrictly(server));

function accessVariables(): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

/** Answers a request with this text and status 200. */
function answerAlways(operation: "open" | "read", body: string): void {
  server.failAlways(operation, { kind: "status", status: 200, body });
}

describe("an answer of ESC to the request that opens an environment", () => {
  test.each([
    ["[]"],
    ['"text"'],
    ["null"],
    ["7"],
    ["{}"],
    ['{"id":""}'],
    ['{"id":7}'],
    ['{"id":null}'],
    // As a segment of a path these would ask for something else.
    ['{"id":"."}'],
    ['{"id":".."}'],
    // No path can hold half of a surrogate pair.
    ['{"id":"a\\ud800"}'],
  ])("is not an ESC answer: %s", async (body) => {
    answerAlways("open", body);
    const failure = await expectEscFailure(accessVariables());
    expect(failure.code).toBe("esc-answer");
    expectFailure(failure);
    expect(server.count("open")).toBe(1);
  });

  test("may name a session that must be escaped", async () => {
    answerAlways("open", '{"id":"a/b ?#c"}');
    expect((await expectEscFailure(accessVariables())).code).toBe("esc-session");
    expect(server.calls.find(({ operation }) => operation === "read")?.path).toContain("/open/a%2Fb%20%3F%23c");
  });

  test("may begin with a byte order mark", async () => {
    answerAlways("read", '\uFEFF{"properties":{"environmentVariables":{"value":{"N":{"value":1.0}}}}}');
    expect(valuesByName(await expectEscReading(accessVariables()))).toEqual({ N: "1.0" });
  });

  test.each(["", "Identity"])("may have the content coding %j, which means none", async (coding) => {
    const headers = { "content-encoding": coding };
    const body = '{"properties":{"environmentVariables":{"value":{"N":{"value":1}}}}}';
    server.failAlways("read", { kind: "status", status: 200, body, headers });
    expect(valuesByName(await expectEscReading(accessVariables()))).toEqual({ N: "1" });
  });

  test.each([201, 202, 204, 206])("is refused if its status is %i", async (status) => {
    server.failAlways("open", { kind: "status", status, ...(status === 204 ? { body: "" } : {}) });
    expect((await expectEscFailure(accessVariables())).code).toBe("esc-status");
  });
});

describe("an answer of ESC to the request that reads an environment", () => {
  test.each([
    ["[]"],
    ['{"error":"sign in"}'],
    ['{"properties":[]}'],
    ['{"properties":"x"}'],
    ['{"properties":{"environmentVariables":{"value":{"A":"bare"}}}}'],
    ['{"properties":{"environmentVariables":{"value":{"A":null}}}}'],
  ])("is not an ESC answer: %s", async (body) => {
    answerAlways("read", body);
    const failure = await expectEscFailure(accessVariables());
    expect(failure.code).toBe("esc-answer");
    expectFailure(failure);
  });

  test.each([
    ["{}"],
    ['{"properties":null}'],
    ['{"exprs":{},"schema":true}'],
    ['{"environmentFunctionSummary":{}}'],
    ['{"properties":{"other":{"value":{"A":{"value":"x"}}}}}'],
    ['{"properties":{"environmentVariables":{}}}'],
    ['{"properties":{"environmentVariables":{"value":null}}}'],
    ['{"properties":{"environmentVariables":{"value":{}}}}'],
  ])("gives no variables and no notice: %s", async (body) => {
    answerAlways("read", body);
    const result = await expectEscReading(accessVariables());
    expect(valuesByName(result)).toEqual({});
    expect(result.notices).toEqual([]);
  });

  test.each(['"text"', "[1]", "3"])("gives no variables and a notice if its variables are %s", async (value) => {
    answerAlways("read", `{"properties":{"environmentVariables":{"value":${value}}}}`);
    const result = await expectEscReading(accessVariables());
    expect(valuesByName(result)).toEqual({});
    expect(result.notices).toEqual([{ kind: "remark", text: expect.stringContaining("environmentVariables") }]);
    expectWording(JSON.stringify(result.notices));
  });

  test("gives no variables if they are unknown as a whole", async () => {
    answerAlways(
      "read",
      '{"properties":{"environmentVariables":{"unknown":true},"files":{"value":{"F":{"value":"x"}}}}}',
    );
    const result = await expectEscReading(accessVariables());
    expect(valuesByName(result)).toEqual({ F: "x" });
    expect(result.notices).toMatchObject([{ kind: "esc-skipped", names: ["environmentVariables"], why: "unknown" }]);
  });

  test("has a notice about each variable of its schema if all are unknown as a whole", async () => {
    const types = '{"A":{"type":"string"},"L":{"type":"array"},"constructor":true}';
    const schema = `{"properties":{"environmentVariables":{"type":"object","properties":${types}}}}`;
    answerAlways("read", `{"properties":{"environmentVariables":{"unknown":true}},"schema":${schema}}`);
    expect((await expectEscReading(accessVariables())).notices).toMatchObject([
      { names: ["environmentVariables", "A", "constructor"], why: "unknown" },
      { names: ["L"], why: "list-or-object" },
    ]);
  });

  test("gives secret variables if they are secret as a whole", async () => {
    answerAlways("read", '{"properties":{"environmentVariables":{"secret":true,"value":{"A":{"value":"x"}}}}}');
    expect(requireVariable(await expectEscReading(accessVariables()), "A").secret).toBe(true);
  });

  test("may contain names that JavaScript uses", async () => {
    answerAlways(
      "read",
      '{"properties":{"environmentVariables":{"value":{"__proto__":{"value":"p"},"toString":{"value":1}}}}}',
    );
    const result = await expectEscReading(accessVariables());
    expect(result.layers[0]?.variables.map(({ name, value }) => [name, value])).toEqual([
      ["__proto__", "p"],
      ["toString", "1"],
    ]);
  });

  test("may have a flag that is not a boolean", async () => {
    server.environment("demo-org/sophia/dev", {
      values: {
        ODD: wire({ value: "x", secret: "yes" }),
        OPEN: wire({ value: "x", secret: false }),
        LATER: wire({ value: "[unknown]", unknown: true }),
      },
    });
    const result = await expectEscReading(accessVariables());
    expect(requireVariable(result, "ODD").secret).toBe(true);
    expect(requireVariable(result, "OPEN").secret).toBe(false);
    expect(result.notices).toMatchObject([{ names: ["LATER"], why: "unknown" }]);
  });

  test("is read without traces and other parts", async () => {
    server.environment("demo-org/sophia/dev", { values: { A: "x", N: 1 }, trace: false, details: false });
    const result = await expectEscReading(accessVariables());
    expect(valuesByName(result)).toEqual({ A: "x", N: "1" });
    expect(requireVariable(result, "A").origin).toEqual({ source: "esc", environment: "demo-org/sophia/dev" });
  });

  test("may be nested deeply", async () => {
    const deep = `${"[".repeat(100_000)}1${"]".repeat(100_000)}`;
    answerAlways(
      "read",
      `{"properties":{"environmentVariables":{"value":{"D":{"value":${deep}},"N":{"value":2.50}}}}}`,
    );
    const result = await expectEscReading(accessVariables());
    expect(valuesByName(result)).toEqual({ N: "2.50" });
    expect(result.notices).toMatchObject([{ names: ["D"], why: "list-or-object" }]);
  });
});

describe("a name or value that no environment variable can have", () => {
  test.each(["A=B", "A\0B", "", "\u001B[31m="])("is an error that names it: %j", async (name) => {
    server.environment("demo-org/sophia/dev", { values: { [name]: "v" } });
    const error: unknown = await readEscFrom(accessVariables()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "esc-value", status: 125 });
    expectWording(String(error));
  });

  test("is reported without the value", async () => {
    server.environment("demo-org/sophia/dev", { values: { KEY: "s3cret\0rest" } });
    const error: unknown = await readEscFrom(accessVariables()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "esc-value", message: expect.stringContaining("KEY") });
    expectWording(String(error));
    expect(JSON.stringify(error)).not.toContain("s3cret");
  });

  test.each([
    ["variable", '{"environmentVariables":{"value":{"KEY":{"value":"s3cret\\udc00"}}}}'],
    ["file", '{"files":{"value":{"KEY":{"value":"s3cret\\ud800x"}}}}'],
  ])("is reported if the value has half of a surrogate pair, in a %s", async (_, properties) => {
    answerAlways("read", `{"properties":${properties}}`);
    const error: unknown = await readEscFrom(accessVariables()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "esc-value", message: expect.stringContaining("KEY") });
    expectWording(String(error));
    expect(JSON.stringify(error)).not.toContain("s3cret");
  });

  test("is reported if the name has half of a surrogate pair", async () => {
    answerAlways("read", '{"properties":{"environmentVariables":{"value":{"A\\ud800B":{"value":"x"}}}}}');
    const error: unknown = await readEscFrom(accessVariables()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "esc-value" });
    expectWording(String(error).toWellFormed());
  });

  test("is not assumed for a whole surrogate pair, also one in escapes", async () => {
    answerAlways("read", '{"properties":{"environmentVariables":{"value":{"KEY":{"value":"\\ud83d\\udd11"}}}}}');
    expect(valuesByName(await expectEscReading(accessVariables()))).toEqual({ KEY: "\u{1F511}" });
  });

  test("is not assumed for a file that contains NUL", async () => {
    server.environment("demo-org/sophia/dev", { files: { KEYSTORE: "a\0b" } });
    expect(valuesByName(await expectEscReading(accessVariables()))).toEqual({ KEYSTORE: "a\0b" });
  });

  test("ends the reading of all environments", async () => {
    server.environment("demo-org/sophia/bad", { values: { "A=B": "x" } });
    server.environment("demo-org/sophia/slow", { values: { A: "x" } });
    const both = { ...accessVariables(), ESC_ENV: "demo-org/sophia/bad,demo-org/sophia/dev" };
    await expect(readEscFrom(both)).rejects.toMatchObject({ code: "esc-value" });
  });
});
