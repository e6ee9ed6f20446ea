/** Tests which tokens the test server of the ESC API accepts and exchanges. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startActionsIssuer } from "./actions-issuer.ts";
import { apiHeaders, sendApiRequest, type Reply } from "./http.ts";
import { type EscServer, startEscServer } from "./index.ts";

let server: EscServer;
const START = Date.UTC(2030, 0, 1);
let clock = START;

beforeAll(async () => {
  server = await startEscServer({ now: () => clock, oidc: { subjectTokens: ["id-token"], organization: "demo-org" } });
  server.environment("demo-org/sophia/dev", { values: { A: "1" } });
});
afterAll(() => server.close());
beforeEach(() => {
  clock = START;
  server.reset();
});

const X = "/api/esc/environments/demo-org/sophia/dev";
const seconds = (): number => clock / 1_000;

function get(path: string, token = server.token): Promise<Reply> {
  return sendApiRequest(server.url + path, { headers: apiHeaders(token) });
}

function post(path: string, body: unknown, token = server.token): Promise<Reply> {
  const headers = { ...apiHeaders(token), "Content-Type": "application/json" };
  return sendApiRequest(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

test("the server refuses the tokens that the service refuses", async () => {
  const path = "/api/orgs/demo-org/tokens";
  const good = { name: "taken", description: "d", expires: 0 };
  const { id } = JSON.parse((await post(path, good)).body);
  await sendApiRequest(`${server.url}${path}/${id}`, { method: "DELETE", headers: apiHeaders(server.token) });
  const statuses = async (bodies: readonly object[]): Promise<number[]> =>
    Promise.all(bodies.map(async (body) => (await post(path, body)).status));
  expect(
    await statuses([
      good,
      { ...good, name: "x".repeat(41) },
      { ...good, name: "" },
      { ...good, description: undefined, name: "a" },
      { ...good, expires: seconds() - 1, name: "b" },
      { ...good, expires: seconds() + 3 * 366 * 86_400, name: "c" },
      { ...good, expires: "0", name: "d" },
    ]),
  ).toEqual([409, 400, 400, 400, 400, 400, 400]);
  expect((await post("/api/orgs/strangers/tokens", good)).status).toBe(404);
  const reader = server.addToken({ owner: { kind: "organization", organization: "demo-org" }, access: "read" });
  expect((await post(path, { ...good, name: "e" }, reader.value)).status).toBe(403);
});

const EXCHANGE = {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
  audience: "urn:pulumi:org:demo-org",
  subject_token: "id-token",
  subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
  requested_token_type: "urn:pulumi:token-type:access_token:organization",
};

function exchange(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Reply> {
  const { Authorization: _none, ...rest } = apiHeaders("unused");
  const type = { "Content-Type": "application/json" };
  return sendApiRequest(`${server.url}/api/oauth/token`, {
    method: "POST",
    headers: { ...rest, ...type, ...headers },
    body: JSON.stringify(body),
  });
}

test("the server exchanges an ID token for a short-lived token, if the request is JSON or a form", async () => {
  const reply = await exchange({ ...EXCHANGE, expiration: 600 });
  const { access_token: token, ...rest } = JSON.parse(reply.body);
  expect([reply.status, rest]).toEqual([
    200,
    { issued_token_type: EXCHANGE.requested_token_type, token_type: "token", expires_in: 600, scope: "" },
  ]);
  expect((await get(X, token)).status).toBe(200);
  expect(JSON.parse((await get("/api/user", token)).body).tokenInfo).toEqual({
    name: "oidc",
    organization: "demo-org",
  });
  clock += 600_000;
  expect((await get(X, token)).status).toBe(401);
  const { Authorization: _none, ...headers } = apiHeaders("unused");
  const form = await sendApiRequest(`${server.url}/api/oauth/token`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(EXCHANGE).toString(),
  });
  expect([form.status, JSON.parse(form.body)["expires_in"], server.violations]).toEqual([200, 7_200, []]);
});

test.each<[string, Record<string, unknown>, number | string]>([
  ["a team", { requested_token_type: "urn:pulumi:token-type:access_token:team", scope: "team:ops" }, 200],
  ["a person", { requested_token_type: "urn:pulumi:token-type:access_token:personal", scope: "user:demo-user" }, 200],
  ["a team without a scope", { requested_token_type: "urn:pulumi:token-type:access_token:team" }, "invalid_scope"],
  ["another type", { requested_token_type: "urn:pulumi:token-type:access_token:x" }, "invalid_scope"],
  ["another grant", { grant_type: "client_credentials" }, "unsupported_grant_type"],
  ["another audience", { audience: "demo-org" }, "invalid_request"],
  ["another kind of subject", { subject_token_type: "jwt" }, "invalid_request"],
  ["an untrusted token", { subject_token: "forged" }, "invalid_grant"],
  ["another organization", { audience: "urn:pulumi:org:strangers" }, "invalid_grant"],
  ["an expiration that is not a number", { expiration: "soon" }, "invalid_request"],
])("the exchange answers as the service does for %s", async (_what, change, expected) => {
  const reply = await exchange({ ...EXCHANGE, ...change });
  const { error = reply.status, error_description: description } = JSON.parse(reply.body);
  expect([reply.status, error]).toEqual([typeof expected === "number" ? expected : 400, expected]);
  expect(description ?? "none needed").toMatch(/\w+ \w+/);
  expect(reply.body).not.toContain("forged");
});

test("the exchange needs no credential, and a request that sends a credential is a violation", async () => {
  const reply = await exchange(EXCHANGE, { Authorization: `token ${server.token}` });
  expect([reply.status, server.violations]).toEqual([400, [expect.stringContaining("needs no Authorization")]]);
});

test("the issuer of GitHub Actions makes ID tokens, which the exchange verifies", async () => {
  await using issuer = await startActionsIssuer(() => clock);
  const asked = (audience: string, authorization = `bearer ${issuer.requestToken}`): Promise<Reply> =>
    sendApiRequest(`${issuer.requestUrl}&audience=${encodeURIComponent(audience)}`, {
      headers: { Authorization: authorization },
    });
  const idToken = async (audience: string): Promise<string> => JSON.parse((await asked(audience)).body).value;
  expect((await asked(EXCHANGE.audience, "bearer wrong")).status).toBe(401);
  const token = await idToken(EXCHANGE.audience);
  const other = await idToken("urn:pulumi:org:other-org");
  expect(issuer.audiences).toEqual([EXCHANGE.audience, "urn:pulumi:org:other-org"]);

  server.oidc = { issuers: [issuer.trust] };
  const status = async (subject: string): Promise<number> =>
    (await exchange({ ...EXCHANGE, subject_token: subject })).status;
  expect(await status(token)).toBe(200);
  const [head = "", body = "", signature = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: "repo:demo-org/other" })).toString("base64url");
  const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  const refused = [other, `${head}.${forged}.${signature}`, `${unsigned}.${body}.`, `${token}.`, "", "a.b.c"];
  expect(await Promise.all(refused.map(status))).toEqual(refused.map(() => 400));
  server.oidc = { issuers: [{ ...issuer.trust, subject: "repo:demo-org/other" }] };
  expect(await status(token)).toBe(400);
  await using stranger = await startActionsIssuer(() => clock);
  const [key] = issuer.trust.keys;
  const keys = stranger.trust.keys.map((one) => ({ ...one, kid: key?.["kid"] }));
  server.oidc = { issuers: [{ ...issuer.trust, keys }] };
  expect(await status(token)).toBe(400);
  server.oidc = { issuers: [issuer.trust] };
  clock += 300_000;
  expect(await status(token)).toBe(400);
  issuer.fault = 503;
  expect((await asked(EXCHANGE.audience)).status).toBe(503);
});
