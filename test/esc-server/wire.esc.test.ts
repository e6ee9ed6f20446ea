import { expect, test } from "vitest";
import { apiHeaders, ask, type Reply } from "./http.ts";
import { type EnvironmentSpec, type EscServer, num, secret, startEscServer, unknown, wire } from "./index.ts";

const X = "/api/esc/environments/demo-org/sophia/dev";

async function readText(server: EscServer): Promise<string> {
  const headers = apiHeaders(server.token);
  const opened = await ask(`${server.url}${X}/open?duration=1h`, { method: "POST", headers });
  expect([opened.status, opened.body]).toEqual([200, expect.stringMatching(/^\{"id":"[\da-f-]{36}"\}$/)]);
  const { id }: { id: string } = JSON.parse(opened.body);
  return (await ask(`${server.url}${X}/open/${id}`, { headers })).body;
}

async function readValues(spec: EnvironmentSpec): Promise<string> {
  await using server = await startEscServer();
  server.environment("demo-org/sophia/dev", spec);
  const text = await readText(server);
  expect(server.violations).toEqual([]);
  return text;
}

test.each<[string, EnvironmentSpec, string]>([
  ["a string", { values: { V: 'a"ü\n' } }, String.raw`"V":{"value":"a\"ü\n"}`],
  ["a boolean", { values: { V: false } }, '"V":{"value":false}'],
  ["a number's own text", { values: { V: num("1.0"), W: num("1E400") } }, '"V":{"value":1.0},"W":{"value":1E400}'],
  ["a big integer", { values: { V: 123456789012345678901234567890n } }, '"V":{"value":123456789012345678901234567890}'],
  ["null without a value", { values: { V: null } }, '"V":{}'],
  ["null as newer servers write it", { values: { V: null }, nulls: "explicit" }, '"V":{"value":null}'],
  ["an unknown", { values: { V: unknown() } }, '"V":{"unknown":true}'],
  [
    "an unknown as newer servers write it",
    { values: { V: unknown() }, nulls: "explicit" },
    '"V":{"value":null,"unknown":true}',
  ],
  ["a secret", { values: { V: secret("s") } }, '"V":{"value":"s","secret":true}'],
  ["a list", { values: { V: [1, "a"] } }, '"V":{"value":[{"value":1},{"value":"a"}]}'],
  [
    "a secret object",
    { values: { V: secret({ k: "s" }) } },
    '"V":{"value":{"k":{"value":"s","secret":true}},"secret":true}',
  ],
  ["a name that objects treat as special", { values: { ["__proto__"]: "x" } }, '"__proto__":{"value":"x"}'],
  ["whatever a test wants to see", { values: { V: wire({ value: { value: 1 } }) } }, '"V":{"value":{"value":1}}'],
])("writes %s", async (_what, spec, expected) => {
  const text = await readValues({ ...spec, trace: false, details: false, summary: false });
  expect(text).toBe(`{"properties":{"environmentVariables":{"value":{${expected}}}}}`);
});

test("an empty environment has only its summary, or is an empty object", async () => {
  const summary = '{"environmentFunctionSummary":{"funcCounts":{},"rotationPaths":null}}';
  expect(await readValues({})).toBe(summary);
  expect(await readValues({ definition: "" })).toBe(summary);
  expect(await readValues({ summary: false })).toBe("{}");
  const { environmentFunctionSummary: told } = JSON.parse(await readValues({ values: { A: secret("s"), B: "b" } }));
  expect(told).toEqual({ funcCounts: { "fn::secret": 1 }, rotationPaths: null });
});

test("an environment may import itself at another revision, and be called by another name", async () => {
  await using server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { OLD: "o", BOTH: "old" } });
  server.environment("demo-org/sophia/dev", { values: { BOTH: "new" }, imports: ["sophia/dev@1"], rootName: "root" });
  const answer = JSON.parse(await readText(server));
  const values = answer.properties.environmentVariables.value;
  expect(values.OLD.trace.def.environment).toBe("sophia/dev@1");
  expect(values.BOTH.trace).toMatchObject({
    def: { environment: "root" },
    base: { value: "old", trace: { def: { environment: "sophia/dev@1" } } },
  });
  expect(answer.executionContext.properties.rootEnvironment.value.name.value).toBe("root");
});

test("an environment that imports a gated one is gated, and both can be evaluated", async () => {
  await using server = await startEscServer();
  const headers = apiHeaders(server.token);
  server.environment("demo-org/sophia/base", { values: { A: "a" }, deny: "approval" });
  server.environment("demo-org/sophia/dev", { definition: "imports: [sophia/base]\n" });
  const opened = await ask(`${server.url}${X}/open?duration=1h`, { method: "POST", headers });
  expect([opened.status, opened.body]).toEqual([403, expect.stringContaining("opens must be approved")]);
  const evaluated = await ask(`${server.url}${X}/check`, { method: "POST", headers });
  expect(JSON.parse(evaluated.body).properties.environmentVariables.value.A.value).toBe("a");
  expect([server.sessions, server.violations]).toEqual([0, []]);
});

test("contains secrets in plain text in the same places as the service", async () => {
  const answer: Record<string, unknown> = JSON.parse(await readValues({ values: { KEY: secret("sentinel") } }));
  for (const part of ["exprs", "properties", "schema"]) expect(JSON.stringify(answer[part])).toContain("sentinel");
  expect(answer["schema"]).toMatchObject({
    properties: { environmentVariables: { properties: { KEY: { type: "string", const: "sentinel" } } } },
  });
});

test("traces each value to its place, its import, and what it replaced", async () => {
  await using server = await startEscServer();
  server.environment("demo-org/sophia/base", { values: { BASE: "b", BOTH: secret("under") } });
  server.environment("demo-org/sophia/dev", { values: { "ü-umlaut": 1, BOTH: "over" }, imports: ["sophia/base"] });
  const answer = JSON.parse(await readText(server));
  const values = answer.properties.environmentVariables.value;
  expect(values.BASE.trace.def).toMatchObject({ environment: "sophia/base", begin: { line: 3, column: 11 } });
  expect(values.BOTH.trace.def.environment).toBe("sophia/dev");
  expect(values.BOTH.trace.base).toMatchObject({
    value: "under",
    secret: true,
    trace: { def: { environment: "sophia/base" } },
  });
  const definition = await ask(`${server.url}${X}`, { headers: apiHeaders(server.token) });
  const { begin, end } = values.BOTH.trace.def;
  expect(Buffer.from(definition.body).subarray(begin.byte, end.byte).toString()).toBe('"over"');
});

test("answers the user, the default organization and their absence", async () => {
  await using server = await startEscServer();
  const get = (path: string): Promise<Reply> => ask(server.url + path, { headers: apiHeaders(server.token) });
  server.environment("demo-org/sophia/dev", {});
  expect(JSON.parse((await get("/api/user")).body)).toMatchObject({
    githubLogin: "demo-user",
    organizations: [{ githubLogin: "demo-org" }],
  });
  expect((await get("/api/user/organizations/default")).body).toBe('{"GitHubLogin":"demo-org","Messages":[]}');
  server.user = { defaultOrg: "other-org", defaultOrgField: "gitHubLogin" };
  expect((await get("/api/user/organizations/default")).body).toBe('{"gitHubLogin":"other-org","Messages":[]}');
  for (const status of [400, 404] as const) {
    server.user = { defaultOrg: null, noDefaultOrg: status };
    const { status: got, body } = await get("/api/user/organizations/default");
    expect([got, JSON.parse(body)]).toEqual([status, { code: status, message: expect.any(String) }]);
  }
});

test("lists environments page by page, those of one organization or all", async () => {
  await using server = await startEscServer({ pageSize: 2 });
  for (const name of ["one-org/a/x", "one-org/a/y", "one-org/b/x", "two-org/a/x"]) server.environment(name, {});
  const names = async (path: string): Promise<string[][]> => {
    const pages: string[][] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const query: string = next === "" ? "" : `?continuationToken=${encodeURIComponent(next)}`;
      const reply = await ask(`${server.url}/api/esc/environments${path}${query}`, {
        headers: apiHeaders(server.token),
      });
      const page: { environments: { project: string; name: string }[]; nextToken?: string } = JSON.parse(reply.body);
      pages.push(page.environments.map(({ project, name }) => `${project}/${name}`));
      next = page.nextToken;
    }
    return pages;
  };
  expect(await names("")).toEqual([
    ["a/x", "a/y"],
    ["b/x", "a/x"],
  ]);
  expect(await names("/one-org")).toEqual([["a/x", "a/y"], ["b/x"]]);
  expect(server.violations).toEqual([]);
});

test("compresses for clients that accept it", async () => {
  await using server = await startEscServer({ gzip: true });
  const headers = { ...apiHeaders(server.token), "Accept-Encoding": "gzip" };
  expect((await ask(`${server.url}/api/user`, { headers })).headers["content-encoding"]).toBe("gzip");
  const plain = await ask(`${server.url}/api/user`, { headers: apiHeaders(server.token) });
  expect([plain.headers["content-encoding"], plain.body]).toEqual([undefined, expect.stringContaining("githubLogin")]);
});

test("counts calls and connections, keeps no token, and forgets on reset", async () => {
  await using server = await startEscServer();
  const arrived = server.waitFor("user", 2);
  await ask(`${server.url}/api/user`, { headers: apiHeaders(server.token) });
  await ask(`${server.url}/api/user`, { headers: apiHeaders("wrong") });
  expect((await arrived).token).toBe("invalid");
  expect(server.calls.map((call) => [call.token, call.status, call.headers["authorization"]])).toEqual([
    ["valid", 200, "<valid>"],
    ["invalid", 401, "<invalid>"],
  ]);
  expect(JSON.stringify(server.calls)).not.toContain(server.token);
  expect(server.connections).toBeGreaterThan(0);
  server.reset();
  expect([server.calls, server.count("any"), server.connections]).toEqual([[], 0, 0]);
});

test("closing rejects pending waits for a call, and cuts connections", async () => {
  const server = await startEscServer();
  server.failNext("user", "hang");
  const hanging = ask(`${server.url}/api/user`, { headers: apiHeaders(server.token) });
  await server.waitFor("user");
  const never = server.waitFor("open");
  const failures = Promise.allSettled([hanging, never]);
  await server.close();
  expect(await failures).toMatchObject([
    { status: "rejected", reason: { code: "ECONNRESET" } },
    { status: "rejected", reason: { message: expect.stringContaining("call 1 of open") } },
  ]);
});
