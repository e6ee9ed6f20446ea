/** The test server of the ESC API reports requests that violate the API. */
import * as net from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { apiHeaders, type ApiRequestOptions, sendApiRequest } from "./http.ts";
import { type EscServer, startEscServer } from "./index.ts";

let server: EscServer;

beforeAll(async () => {
  server = await startEscServer({ basePath: "/base" });
  server.environment("demo-org/sophia/dev", { values: { A: "1" } });
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const X = "/base/api/esc/environments/demo-org/sophia/dev";
const token = (): string => server.token;
const without = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(apiHeaders(token())).filter(([key]) => key !== name));

type Case = readonly [what: string, path: string, ask: () => ApiRequestOptions, status: number, violation: RegExp];

test.each<Case>([
  ["no Authorization", X, () => ({ headers: without("Authorization") }), 401, /no Authorization/],
  [
    "Bearer",
    X,
    () => ({ headers: { ...apiHeaders(token()), Authorization: `Bearer ${token()}` } }),
    401,
    /scheme is Bearer$/,
  ],
  [
    "an unprefixed token",
    X,
    () => ({ headers: { ...apiHeaders(token()), Authorization: token() } }),
    401,
    /scheme is \(none\)$/,
  ],
  [
    "a token with a space",
    X,
    () => ({ headers: { ...apiHeaders(token()), Authorization: `token ${token()} x` } }),
    401,
    /scheme/,
  ],
  ["no Accept", X, () => ({ headers: without("Accept") }), 406, /Accept/],
  [
    "an older version",
    X,
    () => ({ headers: { ...apiHeaders(token()), Accept: "application/vnd.pulumi+7" } }),
    406,
    /pulumi\+8 or application\/vnd\.pulumi\+9$/,
  ],
  ["another Accept", X, () => ({ headers: { ...apiHeaders(token()), Accept: "application/json" } }), 406, /Accept/],
  ["no User-Agent", X, () => ({ headers: without("User-Agent") }), 400, /no User-Agent/],
  [
    "a library's User-Agent",
    X,
    () => ({ headers: { ...apiHeaders(token()), "User-Agent": "axios/1.2.3" } }),
    400,
    /axios/,
  ],
  [
    "an empty source",
    X,
    () => ({ headers: { ...apiHeaders(token()), "X-Pulumi-Source": "" } }),
    400,
    /X-Pulumi-Source/,
  ],
  ["an unknown path", "/base/api/esc/environment", () => ({}), 404, /unknown path/],
  ["a path outside the base", "/api/user", () => ({}), 404, /base path/],
  ["an absolute path to the base", "/base", () => ({}), 404, /base path/],
  ["the wrong method", `${X}/open`, () => ({}), 405, /only POST/],
  ["an empty segment", "/base/api/esc/environments/demo-org//dev", () => ({}), 400, /empty segment/],
  ["a trailing slash", `${X}/`, () => ({}), 400, /empty segment/],
  ["a dot segment", "/base/api/esc/environments/demo-org/../x", () => ({}), 400, /dot segment/],
  ["an unescaped segment", `${X}/versions/a@b`, () => ({}), 400, /not escaped/],
  ["a segment that cannot be decoded", `${X}/versions/%zz`, () => ({}), 400, /not escaped/],
  ["an unknown query parameter", `${X}?x=1`, () => ({}), 400, /unknown query parameter x/],
  ["a repeated query parameter", `${X}/versions?count=1&count=2`, () => ({}), 400, /count given twice/],
  ["a negative count", `${X}/versions?count=-1`, () => ({}), 400, /count=-1/],
  [
    "a duration without a unit",
    `${X}/open?duration=3600`,
    () => ({ method: "POST" }),
    400,
    /not a positive Go duration/,
  ],
  ["no duration at all", `${X}/open?duration=0s`, () => ({ method: "POST" }), 400, /not a positive Go duration/],
  ["a body where none belongs", `${X}/open`, () => ({ method: "POST", body: "{}" }), 400, /takes no body/],
  [
    "a form's type without a form",
    `${X}/open`,
    () => ({
      method: "POST",
      headers: { ...apiHeaders(token()), "Content-Type": "application/x-www-form-urlencoded" },
    }),
    415,
    /Content-Type/,
  ],
  ["an update without a type", X, () => ({ method: "PATCH", body: "values: {}" }), 415, /missing/],
])("the server records a violation: %s", async (_what, path, request, status, violation) => {
  const origin = new URL(server.url).origin;
  const reply = await sendApiRequest(origin + path, { headers: apiHeaders(token()), ...request() });
  expect([reply.status, JSON.parse(reply.body)]).toEqual([status, { code: status, message: expect.any(String) }]);
  expect(server.violations).toEqual([expect.stringMatching(violation)]);
  expect(JSON.stringify([server.violations, server.calls, reply])).not.toContain(token());
});

test.each([8, 9])("the server accepts version %d of the API", async (version) => {
  const headers = { ...apiHeaders(token()), Accept: `application/vnd.pulumi+${version}` };
  expect((await sendApiRequest(new URL(server.url).origin + X, { headers })).status).toBe(200);
  expect(server.violations).toEqual([]);
});

test("the server reports bytes that are not HTTP", async () => {
  const socket = net.connect(server.port, server.host);
  socket.end("NONSENSE\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
  expect(server.violations).toEqual([expect.stringContaining("malformed HTTP")]);
});

test("the server refuses a wrong token, an unknown environment and a bad name, and does not count them as violations", async () => {
  const get = async (path: string, tok = token()): Promise<number> =>
    (
      await sendApiRequest(`${new URL(server.url).origin}/base/api/esc/environments/${path}`, {
        headers: apiHeaders(tok),
      })
    ).status;
  expect(await get("demo-org/sophia/dev", "pul-wrong")).toBe(401);
  expect(await get("demo-org/sophia/nothing")).toBe(404);
  expect(await get("strangers/sophia/dev")).toBe(404);
  expect(await get(`demo-org/${encodeURIComponent("a b")}/dev`)).toBe(400);
  expect(server.violations).toEqual([]);
});
