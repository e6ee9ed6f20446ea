/** The published SDK works against the test server of the ESC API. */
import { deepStrictEqual } from "node:assert/strict";
import { Configuration, EscApi } from "@pulumi/esc-sdk/esc/raw/index.js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type EscServer, num, secret, startEscServer, unknown } from "./index.ts";

// The client that users of the service have: what it sends must pass, what it reads must be what the server holds.

let server: EscServer;
let api: EscApi;

/** The wire's type for a request without a body; by itself the SDK claims to send a form. */
const JSON_TYPE = { headers: { "Content-Type": "application/json" } };

beforeAll(async () => {
  server = await startEscServer({ basePath: "/prefix" });
  // The client parses answers itself, which suits these tests; the raw text is the subject of wire.esc.test.ts.
  const headers = { Accept: "application/vnd.pulumi+8" };
  const baseOptions = { headers, maxRedirects: 0, proxy: false, validateStatus: () => true };
  const configuration = new Configuration({ accessToken: server.token, baseOptions });
  api = new EscApi(configuration, `${server.url}/api/esc`);
});

afterAll(() => server.close());

beforeEach(() => {
  server.environment("demo-org/sophia/dev", {
    values: { PLAIN: "one", SECRET: secret("two"), NUMBER: num("1.0"), UNKNOWN: unknown() },
    revision: 1,
  });
});

afterEach(() => {
  deepStrictEqual(server.violations, []);
  server.environment("demo-org/sophia/dev", {}).remove();
  server.reset();
});

test("the SDK opens an environment and reads it on one connection", async () => {
  const opened = await api.openEnvironment("demo-org", "sophia", "dev", "1h30m", JSON_TYPE);
  expect(opened.status).toBe(200);
  const read = await api.readOpenEnvironment("demo-org", "sophia", "dev", opened.data.id);
  expect(read.status).toBe(200);
  expect(read.data.properties?.["environmentVariables"]?.value).toMatchObject({
    PLAIN: { value: "one", trace: { def: { environment: "sophia/dev" } } },
    SECRET: { value: "two", secret: true },
    NUMBER: { value: 1 },
    UNKNOWN: { unknown: true },
  });
  expect([server.count("open"), server.count("read"), server.calls[0]?.query]).toEqual([1, 1, { duration: "1h30m" }]);
});

test("the SDK opens a revision, and the revision of a tag", async () => {
  server.environment("demo-org/sophia/dev", { values: { PLAIN: "newer" }, tags: ["next"] });
  const plain = async (version: string): Promise<unknown> => {
    const { data } = await api.openEnvironmentAtVersion("demo-org", "sophia", "dev", version, "1h", JSON_TYPE);
    const read = await api.readOpenEnvironment("demo-org", "sophia", "dev", data.id);
    return read.data.properties?.["environmentVariables"]?.value.PLAIN.value;
  };
  expect(await Promise.all(["1", "2", "next", "latest"].map(plain))).toEqual(["one", "newer", "newer", "newer"]);
  expect((await api.openEnvironmentAtVersion("demo-org", "sophia", "dev", "7", "1h", JSON_TYPE)).status).toBe(404);
});

test("the SDK reads, updates and protects a definition", async () => {
  const got = await api.getEnvironment("demo-org", "sophia", "dev");
  expect(got.headers["content-type"]).toBe("application/x-yaml");
  expect(got.headers["pulumi-esc-revision"]).toBe("1");
  const head = await api.getEnvironmentETag("demo-org", "sophia", "dev");
  expect([head.status, head.data, head.headers["etag"]]).toEqual([200, "", got.headers["etag"]]);
  const yaml = "# kept\nvalues:\n  environmentVariables:\n    PLAIN: three\n";
  const condition = { headers: { ETag: String(got.headers["etag"]) } };
  const updated = await api.updateEnvironmentYaml("demo-org", "sophia", "dev", yaml, condition);
  expect([updated.status, updated.headers["pulumi-esc-revision"]]).toEqual([200, "2"]);
  const lost = await api.updateEnvironmentYaml("demo-org", "sophia", "dev", yaml, condition);
  expect([lost.status, lost.data]).toMatchObject([409, { code: 409 }]);
  const old = await api.getEnvironmentAtVersion("demo-org", "sophia", "dev", "1");
  expect(old.headers["etag"]).toBe(got.headers["etag"]);
  expect((await api.getEnvironment("demo-org", "sophia", "dev")).data).toBe(yaml);
});

test("the SDK creates, decrypts and deletes an environment", async () => {
  const created = await api.createEnvironment("demo-org", { project: "sophia", name: "new" });
  expect(created.status).toBe(200);
  expect((await api.createEnvironment("demo-org", { project: "sophia", name: "new" })).status).toBe(409);
  const yaml = 'values:\n  key: {fn::secret: "hunter2"}\n';
  await api.updateEnvironmentYaml("demo-org", "sophia", "new", yaml);
  const { data } = await api.getEnvironment("demo-org", "sophia", "new");
  expect(data).toEqual(expect.stringMatching(/^values:\n {2}key: \{fn::secret: \{ciphertext: "[\w+/=]+"\}\}\n$/));
  expect((await api.decryptEnvironment("demo-org", "sophia", "new")).data).toBe(yaml);
  expect((await api.deleteEnvironment("demo-org", "sophia", "new")).status).toBe(204);
  expect((await api.getEnvironment("demo-org", "sophia", "new")).status).toBe(404);
});

test("the SDK lists revisions and environments page by page", async () => {
  for (const value of ["b", "c"]) server.environment("demo-org/sophia/dev", { values: { PLAIN: value } });
  const numbers = async (before?: number, count?: number): Promise<unknown> => {
    const { data } = await api.listEnvironmentRevisions("demo-org", "sophia", "dev", before, count);
    return data.map((revision) => revision.number);
  };
  expect([await numbers(), await numbers(3), await numbers(undefined, 1)]).toEqual([[3, 2, 1], [2, 1], [3]]);
  const { data } = await api.listEnvironments("demo-org");
  expect(data.environments).toMatchObject([{ organization: "demo-org", project: "sophia", name: "dev" }]);
});

test("the SDK creates, moves and deletes tags of revisions", async () => {
  server.environment("demo-org/sophia/dev", { values: { PLAIN: "newer" } });
  const at = ["demo-org", "sophia", "dev"] as const;
  expect((await api.createEnvironmentRevisionTag(...at, { name: "stable", revision: 1 })).status).toBe(204);
  expect((await api.getEnvironmentRevisionTag(...at, "stable")).data).toMatchObject({ name: "stable", revision: 1 });
  expect((await api.updateEnvironmentRevisionTag(...at, "stable", { revision: 2 })).status).toBe(204);
  const { data } = await api.listEnvironmentRevisionTags(...at);
  expect(data.tags).toMatchObject([
    { name: "latest", revision: 2 },
    { name: "stable", revision: 2 },
  ]);
  expect((await api.deleteEnvironmentRevisionTag(...at, "stable")).status).toBe(204);
  expect((await api.getEnvironmentRevisionTag(...at, "stable")).status).toBe(404);
});

test("the SDK checks a definition that is not stored", async () => {
  const good = await api.checkEnvironmentYaml("demo-org", "values:\n  a: 1\n  b: ${a}\n");
  expect(good.data.properties).toMatchObject({ a: { value: 1 }, b: { value: 1 } });
  const bad = await api.checkEnvironmentYaml("demo-org", "values:\n  b: ${a}\n");
  expect([bad.status, bad.data.diagnostics]).toMatchObject([400, [{ range: { begin: { line: 2, column: 8 } } }]]);
});

test("the server reports the SDK's faulty request for one property", async () => {
  const { data } = await api.openEnvironment("demo-org", "sophia", "dev", "1h", JSON_TYPE);
  const { status } = await api.readOpenEnvironmentProperty(
    "demo-org",
    "sophia",
    "dev",
    data.id,
    "environmentVariables",
  );
  expect(status).toBe(400);
  expect(server.violations).toEqual([expect.stringContaining("empty segment")]);
  server.reset();
});

test("the server reports the wrong Content-Type that the SDK sends by default", async () => {
  expect((await api.openEnvironment("demo-org", "sophia", "dev", "1h")).status).toBe(415);
  expect(server.violations).toEqual([expect.stringContaining("application/x-www-form-urlencoded")]);
  server.reset();
});
