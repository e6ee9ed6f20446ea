import { expect, test } from "vitest";
import { apiHeaders, type Ask, ask, type Reply } from "./http.ts";
import { type EscServer, secret, startEscServer } from "./index.ts";

const X = "/api/esc/environments/demo-org/sophia/dev";

function call(server: EscServer, path: string, request: Ask = {}): Promise<Reply> {
  const type: Record<string, string> = request.body === undefined ? {} : { "Content-Type": "application/x-yaml" };
  const headers = { ...apiHeaders(server.token), ...type, ...request.headers };
  return ask(`${server.url}/api/esc/environments/demo-org/sophia/dev${path}`, { ...request, headers });
}

async function open(server: EscServer, path = ""): Promise<Reply> {
  const opened = await call(server, `${path}/open`, { method: "POST" });
  if (opened.status !== 200) return opened;
  return call(server, `/open/${JSON.parse(opened.body).id}`);
}

async function evaluated(definition: string): Promise<unknown> {
  await using server = await startEscServer();
  server.provider("test-login", { user: "u", key: secret("k") });
  server.environment("demo-org/sophia/base", { definition: "values: {shared: {a: base-a, b: base-b}, list: [1, 2]}" });
  server.environment("demo-org/default/plain", { definition: "values: {plain: yes-it-is}" });
  server.environment("demo-org/sophia/dev", { definition, trace: false, details: false });
  const reply = await open(server);
  const answer = JSON.parse(reply.body);
  return reply.status === 200 ? answer.properties : answer.diagnostics;
}

test.each<[string, string, unknown]>([
  ["plain values", "values: {a: x, b: true, c: null}", { a: { value: "x" }, b: { value: true }, c: {} }],
  [
    "references",
    "values: {a: [{k: 7}], b: '${a[0].k}', c: 'x${a[0][\"k\"]}$${y}'}",
    { b: { value: 7 }, c: { value: "x7${y}" } },
  ],
  ["references to what follows", "values: {a: '${b}', b: 1}", { a: { value: 1 } }],
  [
    "secrets, literally",
    "values: {a: {fn::secret: 'x${y}'}, b: '${a}!'}",
    { a: { value: "x${y}", secret: true }, b: { value: "x${y}!", secret: true } },
  ],
  ["providers", "values: {l: {fn::open::test-login: {}}, k: '${l.key}'}", { k: { value: "k", secret: true } }],
  [
    "imports beneath",
    "imports: [sophia/base, plain]\nvalues: {shared: {a: own}}",
    {
      shared: { value: { a: { value: "own" }, b: { value: "base-b" } } },
      list: { value: [{ value: 1 }, { value: 2 }] },
      plain: { value: "yes-it-is" },
    },
  ],
  ["imports that are not merged", "imports: [{sophia/base: {merge: false}}]\nvalues: {a: 1}", { a: { value: 1 } }],
  [
    "conversions",
    "values: {a: {fn::toJSON: {k: 1.0}}, b: {fn::toBase64: hi}, c: {fn::fromBase64: aGk=}, d: {fn::toString: 1.50}, e: {fn::join: ['-', [a, 2]]}}",
    { a: { value: '{"k":1.0}' }, b: { value: "aGk=" }, c: { value: "hi" }, d: { value: "1.50" }, e: { value: "a-2" } },
  ],
  [
    "conversions of secrets",
    "values: {a: {fn::toJSON: {k: {fn::secret: s}}}}",
    { a: { value: '{"k":"s"}', secret: true } },
  ],
  ["anchors", "values: {a: &x 1, b: *x}", { b: { value: 1 } }],
])("evaluates %s", async (_what, definition, expected) => {
  expect(await evaluated(definition)).toMatchObject(Object(expected));
});

test.each<[string, string, readonly [summary: RegExp, line: number, column: number]]>([
  ["an unknown reference", "values:\n  a: ${nothing}\n", [/^unknown property "nothing"$/, 2, 6]],
  ["a cycle", "values:\n  a: ${b}\n  b: ${a}\n", [/^cyclic reference/, 2, 6]],
  ["an unknown import", "imports:\n  - sophia/nothing\n", [/^unknown environment "sophia\/nothing"$/, 2, 5]],
  ["an import of itself", "imports:\n  - sophia/dev\n", [/^cyclic import of "sophia\/dev"$/, 2, 5]],
  ["an unknown function", "values:\n  ü: {fn::nothing: 1}\n", [/^unknown function "fn::nothing"$/, 2, 6]],
  ["an unknown provider", "values:\n  a:\n    fn::open::nothing: 1\n", [/^unknown provider "nothing"$/, 3, 5]],
  ["a foreign ciphertext", "values:\n  a: {fn::secret: {ciphertext: AAAA}}\n", [/cannot be decrypted/, 2, 6]],
  ["an unknown key", "value: {}\n", [/^unknown key "value"$/, 1, 8]],
  ["broken YAML", "values:\n  a: [1\n", [/./, 3, 1]],
  ["a list", "- 1\n", [/^the definition must be an object$/, 1, 1]],
])("says what is wrong and where: %s", async (_what, definition, [summary, line, column]) => {
  expect(await evaluated(definition)).toContainEqual(
    expect.objectContaining({
      summary: expect.stringMatching(summary),
      range: expect.objectContaining({ environment: "sophia/dev", begin: expect.objectContaining({ line, column }) }),
    }),
  );
});

test("a diagnostic of broken YAML quotes nothing of it", async () => {
  expect(JSON.stringify(await evaluated('values:\n  key: {fn::secret: "sentinel\n'))).not.toContain("sentinel");
});

test("checks without opening: ciphertext and providers are unknown, and there is no session", async () => {
  await using server = await startEscServer();
  server.provider("test-login", { key: secret("k") });
  server.environment("demo-org/sophia/dev", {
    definition: "values: {a: 1, s: {fn::secret: sentinel}, t: 'x${s}', l: {fn::open::test-login: {}}, k: '${l.key}'}",
  });
  const reply = await call(server, "/check", { method: "POST" });
  expect([reply.status, JSON.parse(reply.body).properties]).toMatchObject([
    200,
    {
      a: { value: 1 },
      s: { unknown: true, secret: true },
      t: { unknown: true, secret: true },
      l: { unknown: true },
      k: { unknown: true },
    },
  ]);
  // The types of unknown values are known.
  expect(JSON.parse(reply.body).schema.properties).toMatchObject({
    t: { type: "string" },
    l: { type: "object", properties: { key: { type: "string" } } },
    k: { type: "string" },
  });
  expect([reply.body.includes("sentinel"), server.sessions, server.violations]).toEqual([false, 0, []]);
  server.environment("demo-org/sophia/dev", { values: { S: secret("sentinel"), P: "plain" } });
  const values = await call(server, "/check", { method: "POST" });
  expect(values.body).not.toContain("sentinel");
  expect(JSON.parse(values.body).properties.environmentVariables.value).toMatchObject({
    S: { unknown: true, secret: true },
    P: { value: "plain" },
  });
  server.environment("demo-org/sophia/dev", { definition: "values: {a: '${b}'}" });
  const broken = await call(server, "/check", { method: "POST" });
  const { diagnostics } = JSON.parse(broken.body);
  expect([broken.status, diagnostics]).toMatchObject([200, [{ summary: 'unknown property "b"', path: "values.a" }]]);
});

test("rotates a secret: the rest of the text stays, the new value is read back, a lost update is refused", async () => {
  await using server = await startEscServer();
  const environment = server.environment("demo-org/sophia/dev", {
    definition:
      "# top\nvalues:\n  environmentVariables:\n    KEY: {fn::secret: old} # the key\n    TEXT:\n      fn::secret: |\n        a\n        b\n",
  });
  const before = await call(server, "");
  expect([before.headers["pulumi-esc-revision"], before.body.includes("old")]).toEqual(["1", false]);
  expect(before.body).toMatch(
    /^# top\nvalues:\n {2}environmentVariables:\n {4}KEY: \{fn::secret: \{ciphertext: "\S+"\}\} # the key\n/,
  );
  const next = before.body.replace(/\{ciphertext: "\S+"\}/, '"new"');
  const etag = String(before.headers.etag);
  const patch = (headers: Record<string, string>): Promise<Reply> =>
    call(server, "", { method: "PATCH", body: next, headers });
  const updated = await patch({ ETag: etag, "If-Match": etag });
  expect([updated.status, updated.headers["pulumi-esc-revision"], updated.body]).toEqual([200, "2", "{}"]);
  for (const name of ["ETag", "If-Match"]) {
    const lost = await patch({ [name]: etag });
    expect([lost.status, JSON.parse(lost.body).code]).toEqual([409, 409]);
  }
  const values = async (path = ""): Promise<unknown> =>
    JSON.parse((await open(server, path)).body).properties.environmentVariables.value;
  expect(await values()).toMatchObject({
    KEY: { value: "new", secret: true },
    TEXT: { value: "a\nb\n", secret: true },
  });
  expect(await values("/versions/1")).toMatchObject({ KEY: { value: "old" } });
  expect(environment.definition).not.toContain("new");
  expect((await patch({ "If-Match": "*" })).status).toBe(200);
  expect(server.violations).toEqual([]);
});

test("refuses an invalid definition, and one from a read-only token", async () => {
  await using server = await startEscServer();
  const environment = server.environment("demo-org/sophia/dev", { values: { A: "1" } });
  const invalid = await call(server, "", { method: "PATCH", body: "values: [" });
  expect([invalid.status, JSON.parse(invalid.body)]).toMatchObject([400, { code: 400, diagnostics: [{ range: {} }] }]);
  const { value } = server.addToken({ owner: { kind: "personal", login: "demo-user" }, access: "read" });
  const headers = { ...apiHeaders(value), "Content-Type": "application/x-yaml" };
  expect((await ask(`${server.url}${X}`, { method: "PATCH", body: "values: {}", headers })).status).toBe(403);
  expect((await ask(`${server.url}${X}/open`, { method: "POST", headers: apiHeaders(value) })).status).toBe(200);
  expect(environment.revisions.length).toBe(1);
});

test("a definition written from values evaluates to the same values", async () => {
  await using server = await startEscServer();
  const values = { A: "x: ${HOME} # ü\n", B: [1, { c: secret("s") }], C: {}, D: [], "odd name": true, yes: null };
  server.environment("demo-org/sophia/dev", { values, trace: false, details: false });
  const first = await open(server);
  const { body } = await call(server, "");
  await call(server, "", { method: "PATCH", body });
  expect((await open(server)).body).toBe(first.body);
});

test("denies an environment, removes it, and names what a tag names", async () => {
  await using server = await startEscServer();
  const environment = server.environment("demo-org/sophia/dev", { values: { A: "1" }, tags: ["stable"] });
  environment.revise({ values: { A: "2" } });
  const value = async (path: string): Promise<unknown> =>
    JSON.parse((await open(server, path)).body).properties.environmentVariables.value.A.value;
  expect([await value("/versions/stable"), await value("/versions/2"), await value("")]).toEqual(["1", "2", "2"]);
  for (const status of [403, 404] as const) {
    environment.deny(status);
    expect((await open(server)).status).toBe(status);
  }
  environment.deny("approval");
  const gated = await open(server);
  expect([gated.status, gated.body]).toEqual([403, expect.stringContaining("opens must be approved")]);
  expect((await call(server, "", { method: "GET" })).status).toBe(200);
  environment.deny(undefined);
  expect((await open(server)).status).toBe(200);
  environment.remove();
  expect((await open(server)).status).toBe(404);
});
