import * as http from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { apiHeaders, ask, type Reply } from "./http.ts";
import { type EscServer, type Fault, type FaultName, startEscServer } from "./index.ts";

let server: EscServer;
let clock = Date.UTC(2030, 0, 1);

beforeAll(async () => {
  server = await startEscServer({ now: () => clock });
  server.environment("demo-org/sophia/dev", { values: { A: "1" } });
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const X = "/api/esc/environments/demo-org/sophia/dev";

function open(): Promise<Reply> {
  return ask(`${server.url}${X}/open?duration=1h`, { method: "POST", headers: apiHeaders(server.token) });
}

function read(session: string): Promise<Reply> {
  return ask(`${server.url}${X}/open/${session}`, { headers: apiHeaders(server.token) });
}

const sessionOf = (reply: Reply): string => JSON.parse(reply.body).id;
const range = {
  environment: "sophia/dev",
  begin: { line: 2, column: 3, byte: 10 },
  end: { line: 2, column: 4, byte: 11 },
};

type Answered = readonly [what: string, fault: Fault | FaultName, expected: Partial<Reply>, sessions: number];

test.each<Answered>([
  ["a status", 403, { status: 403, body: '{"code":403,"message":"Forbidden"}' }, 0],
  [
    "a status with a body and a header",
    { kind: "status", status: 429, body: "slow down", headers: { "Retry-After": "2" } },
    { status: 429, body: "slow down", headers: expect.objectContaining({ "retry-after": "2" }) },
    0,
  ],
  ["a status with fields", { kind: "status", status: 400, body: { code: 7 } }, { status: 400, body: '{"code":7}' }, 0],
  [
    "5xx with a request id",
    502,
    { headers: expect.objectContaining({ "x-pulumi-request-id": expect.any(String) }) },
    0,
  ],
  [
    "a page",
    "html",
    { status: 200, headers: expect.objectContaining({ "content-type": "text/html; charset=utf-8" }) },
    0,
  ],
  ["a page with an error", { kind: "html", status: 502, body: "<b>" }, { status: 502, body: "<b>" }, 0],
  ["nothing", "empty", { status: 200, body: "" }, 0],
  ["what is not JSON", "invalidJson", { status: 200, body: '{"id": oops}' }, 0],
  ["half of the JSON", "truncated", { status: 200, body: expect.stringMatching(/^\{"id":"[\da-f-]+$/) }, 1],
  [
    "a redirect",
    { kind: "redirect", to: "http://elsewhere.example.test/", status: 307 },
    { status: 307, headers: expect.objectContaining({ location: "http://elsewhere.example.test/" }) },
    0,
  ],
  [
    "diagnostics",
    { kind: "diagnostics", diagnostics: [{ summary: "one", range }, { summary: "two" }] },
    {
      status: 400,
      body: expect.stringContaining(
        '"diagnostics":[{"range":{"environment":"sophia/dev","begin":{"line":2,"column":3,"byte":10}',
      ),
    },
    0,
  ],
  [
    "diagnostics without a code",
    { kind: "diagnostics", status: 403, code: null, diagnostics: [{ summary: "denied" }] },
    { status: 403, body: '{"diagnostics":[{"summary":"denied"}]}' },
    0,
  ],
  [
    "warnings as a list",
    { kind: "warnings", diagnostics: [{ summary: "old", severity: "warning" }] },
    {
      status: 200,
      body: expect.stringMatching(/^\{"id":"[\da-f-]+","diagnostics":\[\{"summary":"old","severity":"warning"\}\]\}$/),
    },
    1,
  ],
  [
    "warnings as an object",
    { kind: "warnings", shape: "object", diagnostics: [{ summary: "old", severity: "warning" }] },
    { status: 200, body: expect.stringContaining('"diagnostics":{"diagnostics":[{"summary":"old"') },
    1,
  ],
  [
    "an answer in drops",
    { kind: "drip", bytes: 7, everyMs: 1 },
    { status: 200, body: expect.stringMatching(/"\}$/) },
    1,
  ],
  [
    "a declared size",
    { kind: "oversized", bytes: 200_000, declared: true },
    { headers: expect.objectContaining({ "content-length": "200000" }) },
    0,
  ],
])("answers with %s", async (_what, fault, expected, sessions) => {
  server.failNext("open", fault);
  const reply = await open();
  expect(reply).toMatchObject(expected);
  expect([server.sessions, server.calls[0]?.status]).toEqual([sessions, reply.status]);
  expect((await open()).status).toBe(200);
  expect(server.violations).toEqual([]);
});

type Broken = readonly [fault: Fault | FaultName, status: number | undefined, sessions: number];

test.each<Broken>([
  ["ECONNRESET", undefined, 0],
  [{ kind: "reset", at: "headers" }, undefined, 1],
  [{ kind: "reset", at: "body" }, 200, 1],
  [{ kind: "disconnect", at: "start" }, undefined, 0],
  [{ kind: "disconnect", at: "headers" }, undefined, 1],
  [{ kind: "disconnect", at: "body" }, 200, 1],
])("breaks off: %j", async (fault, status, sessions) => {
  server.failNext("open", fault);
  await expect(open()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect([server.sessions, server.calls[0]?.status]).toEqual([sessions, status]);
});

test.each<readonly [Fault | FaultName, RegExp]>([
  ["hang", /^$/],
  // Half of the session's answer, never the end of it.
  [{ kind: "hang", at: "body" }, /^\{"id":"[\da-f-]+$/],
])("stops answering: %j", async (fault, heard) => {
  server.failNext("open", fault);
  const { port, host } = server;
  const path = `${X}/open?duration=1h`;
  const request = http.request({ port, host, path, method: "POST", headers: apiHeaders(server.token) });
  const closed = new Promise<void>((resolve) => request.once("close", resolve));
  let got = "";
  const first = new Promise<void>((resolve) => {
    request.on("response", (response) =>
      response
        .on("data", (chunk: Buffer) => {
          got += chunk.toString();
          resolve();
        })
        .on("error", () => undefined),
    );
  });
  request.on("error", () => undefined);
  request.end();
  await (fault === "hang" ? server.waitFor("open") : first);
  request.destroy();
  await closed;
  expect(got).toMatch(heard);
});

test("keeps a request waiting until it is released", async () => {
  const held = server.hold("open");
  const opened = open();
  await server.waitFor("open");
  expect([server.calls[0]?.status, server.sessions]).toEqual([undefined, 0]);
  held.release();
  expect((await opened).status).toBe(200);
});

test("a session ends between open and read, once", async () => {
  const session = sessionOf(await open());
  server.failNext("read", "expired");
  expect([(await read(session)).status, (await read(session)).status]).toEqual([404, 200]);
});

test("sends an oversized body as fast as it is taken, small when compressed", async () => {
  server.failNext("open", { kind: "oversized", bytes: 5_000_000 });
  const plain = await open();
  expect([plain.body.length, Object.keys(JSON.parse(plain.body))]).toEqual([5_000_000, ["id"]]);
  server.failNext("open", { kind: "oversized", bytes: 5_000_000, gzip: true });
  const { port, host } = server;
  const body = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    http
      .request({ port, host, path: `${X}/open`, method: "POST", headers: apiHeaders(server.token) }, (response) => {
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
      })
      .on("error", reject)
      .end();
  });
  expect(body.length).toBeLessThan(50_000);
  expect(gunzipSync(body).length).toBe(5_000_000);
});

test("an oversized body ends when the client closes the connection", async () => {
  server.failNext("open", { kind: "oversized", bytes: 1e12 });
  const { port, host } = server;
  await new Promise<void>((resolve, reject) => {
    http
      .request({ port, host, path: `${X}/open`, method: "POST", headers: apiHeaders(server.token) }, (response) => {
        response.once("data", () => response.destroy()).once("close", resolve);
      })
      .on("error", reject)
      .end();
  });
  expect((await open()).status).toBe(200);
  expect(server.violations).toEqual([]);
});

test("limits the rate by its clock and sends Retry-After", async () => {
  server.failAlways("open", { kind: "rateLimit", perSecond: 2, retryAfter: 3 });
  const statuses = async (count: number): Promise<number[]> => {
    const replies: number[] = [];
    for (let index = 0; index < count; index += 1) replies.push((await open()).status);
    return replies;
  };
  expect(await statuses(3)).toEqual([200, 200, 429]);
  expect((await open()).headers["retry-after"]).toBe("3");
  clock += 500;
  expect(await statuses(2)).toEqual([200, 429]);
  clock += 60_000;
  expect(await statuses(3)).toEqual([200, 200, 429]);
  server.failAlways("open", { kind: "rateLimit", perSecond: 1, burst: 0, retryAfter: { date: 90 } });
  expect((await open()).headers["retry-after"]).toBe(new Date(clock + 90_000).toUTCString());
  expect(server.sessions).toBe(5);
});

test("faults apply in order: the next of the operation, the next of any, the lasting ones", async () => {
  server.failAlways("any", 500);
  server.failAlways("open", 503);
  server.failNext("any", 502);
  server.failNext("open", 429, 2);
  const statuses: number[] = [];
  for (let index = 0; index < 5; index += 1) statuses.push((await open()).status);
  expect(statuses).toEqual([429, 429, 502, 503, 503]);
  server.heal("open");
  expect((await open()).status).toBe(500);
  server.heal();
  expect((await open()).status).toBe(200);
});

test("a request that breaks the API's rules uses up no fault", async () => {
  server.failNext("open", 503);
  const { "User-Agent": _agent, ...headers } = apiHeaders(server.token);
  expect((await ask(`${server.url}${X}/open`, { method: "POST", headers })).status).toBe(400);
  expect((await open()).status).toBe(503);
});
