/** What answers of the service have beside the values (evaluator.esc.test.ts), on which tests of the program depend. */
import { expect, test } from "vitest";
import { apiHeaders, sendApiRequest } from "./http.ts";
import { type EnvironmentSpec, type EscServer, secret, startEscServer } from "./index.ts";

const X = "/api/esc/environments/demo-org/sophia/dev";

async function readText(server: EscServer): Promise<string> {
  const headers = apiHeaders(server.token);
  const opened = await sendApiRequest(`${server.url}${X}/open?duration=1h`, { method: "POST", headers });
  expect([opened.status, opened.body]).toEqual([200, expect.stringMatching(/^\{"id":"[\da-f-]{36}"\}$/)]);
  const { id }: { id: string } = JSON.parse(opened.body);
  return (await sendApiRequest(`${server.url}${X}/open/${id}`, { headers })).body;
}

async function readValues(spec: EnvironmentSpec): Promise<string> {
  await using server = await startEscServer();
  server.environment("demo-org/sophia/dev", spec);
  const text = await readText(server);
  expect(server.violations).toEqual([]);
  return text;
}

test("the answer for an empty environment has only its summary, or is an empty object", async () => {
  const summary = '{"environmentFunctionSummary":{"funcCounts":{},"rotationPaths":null}}';
  expect(await readValues({})).toBe(summary);
  expect(await readValues({ definition: "" })).toBe(summary);
  expect(await readValues({ summary: false })).toBe("{}");
  const { environmentFunctionSummary: told } = JSON.parse(await readValues({ values: { A: secret("s"), B: "b" } }));
  expect(told).toEqual({ funcCounts: { "fn::secret": 1 }, rotationPaths: null });
});

test("an environment that imports a gated environment is gated, and the server evaluates both", async () => {
  await using server = await startEscServer();
  const headers = apiHeaders(server.token);
  server.environment("demo-org/sophia/base", { values: { A: "a" }, deny: "approval" });
  server.environment("demo-org/sophia/dev", { definition: "imports: [sophia/base]\n" });
  const opened = await sendApiRequest(`${server.url}${X}/open?duration=1h`, { method: "POST", headers });
  expect([opened.status, opened.body]).toEqual([403, expect.stringContaining("opens must be approved")]);
  const evaluated = await sendApiRequest(`${server.url}${X}/check`, { method: "POST", headers });
  expect(JSON.parse(evaluated.body).properties.environmentVariables.value.A.value).toBe("a");
  expect([server.sessions, server.violations]).toEqual([0, []]);
});

test("the server's answers contain secrets in plain text in the same places as the service's", async () => {
  const answer: Record<string, unknown> = JSON.parse(await readValues({ values: { KEY: secret("sentinel") } }));
  for (const part of ["exprs", "properties", "schema"]) expect(JSON.stringify(answer[part])).toContain("sentinel");
  expect(answer["schema"]).toMatchObject({
    properties: { environmentVariables: { properties: { KEY: { type: "string", const: "sentinel" } } } },
  });
});
