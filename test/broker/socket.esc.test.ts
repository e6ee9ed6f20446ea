/** The broker on a socket of the file system, and the redirects that it follows there. */
import { once } from "node:events";
import * as http from "node:http";
import { createServer } from "node:net";
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AdmittedRequest, RequestHead } from "../../src/broker/admit.ts";
import { createServiceHeaders } from "../../src/broker/headers.ts";
import { Redirects } from "../../src/broker/redirects.ts";
import { folder } from "../helpers/sophia.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";
import { waitForResponse, startBroker, startUpstream, readText } from "./upstream.ts";

async function openBroker() {
  const upstream = await startUpstream((_, response) => void response.end("served"));
  return { upstream, broker: await startBroker(upstream.origin, {}) };
}

test("the broker on a socket admits a request by the host of its service, and records it", async () => {
  const { upstream, broker } = await openBroker();
  const socketPath = join(folder(), "s");
  await broker.openSocket(socketPath);
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  const [route] = broker.routes;
  const askAs = async (host: string) => {
    const headers = { host, authorization: `Bearer ${route.dummy}` };
    const request = http.request({ socketPath, path: "/v1/models", headers, agent: false }).end();
    const response = await waitForResponse(request);
    return `${response.statusCode} ${await readText(response)}`;
  };
  expect(await askAs(new URL(upstream.origin).host)).toBe("200 served");
  expect(await askAs("localhost")).toBe("200 served");
  expect(await askAs("evil.test")).toMatch(/^403 .*broker-denied/);
  expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: 2 }, () => `Bearer ${REAL_KEYS["OPENAI_API_KEY"]}`),
  );
  expect(broker.records.map(({ outcome, host }) => [outcome, host])).toEqual([
    ["answered", new URL(upstream.origin).host],
    ["answered", new URL(upstream.origin).host],
    ["refused", undefined],
  ]);
});

test("the broker serves a redirect to another host on the socket for gh, and not on the user's socket", async () => {
  const upstream = await startUpstream(({ url }, response) => {
    response.writeHead(url === "/v1/asset" ? 302 : 200, { location: "https://assets.test/a" }).end();
  });
  const [users, own] = [join(folder(), "s"), join(folder(), "s")];
  const broker = await startBroker(upstream.origin, {}, { address: { path: users } });
  await broker.openSocket(own);
  const statusOf = async (socketPath: string, path: string, headers: Record<string, string>) => {
    const request = http.request({ socketPath, path, headers, agent: false }).end();
    return (await waitForResponse(request)).statusCode;
  };
  for (const [socketPath, served] of [
    [users, 403],
    [own, 200],
  ] as const) {
    const key = { host: "localhost", authorization: `Bearer ${broker.routes[0].dummy}` };
    expect(await statusOf(socketPath, "/v1/asset", key)).toBe(302);
    expect(await statusOf(socketPath, "/a", { host: "assets.test" })).toBe(served);
  }
});

test("a socket path that is taken or too long is an error, and the existing socket stays", async () => {
  const { broker } = await openBroker();
  const path = join(folder(), "s");
  const other = createServer().listen(path);
  onTestFinished(() => void other.close());
  await once(other, "listening");
  await expect(broker.openSocket(path)).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect(other.listening).toBe(true);
  const long = join(folder(), "x".repeat(100));
  await expect(broker.openSocket(long)).rejects.toMatchObject({ code: "ENAMETOOLONG" });
  await expect(broker.openSocket(join(folder(), "none", "s"))).rejects.toMatchObject({ syscall: "listen" });
});

const [route] = createRoutes("https://api.example.test");
const slot = { header: "authorization", scheme: "bearer" };
const admitted: AdmittedRequest = { route, slot, origin: route.origin, clientAddress: route.origin, target: "/a" };
const URL_OF_ASSET = "https://assets.test/a?s=%2F";

function admitRedirect(redirects: Redirects, changes: Partial<RequestHead> = {}): string | undefined {
  const asked = {
    method: "GET",
    version: "1.1",
    target: "/a?s=%2F",
    rawHeaders: ["Host", "assets.test"],
    isUpgrade: false,
  };
  const found = redirects.admit({ ...asked, ...changes });
  return found && found.origin + found.target;
}

test("the broker serves only a redirect's URL that an answer has named, and without the key", () => {
  const redirects = new Redirects();
  expect(admitRedirect(redirects)).toBeUndefined();
  expect(redirects.noteLocation(admitted, URL_OF_ASSET, [route])).toBe("https://assets.test");
  expect(admitRedirect(redirects)).toBe(URL_OF_ASSET);
  expect(admitRedirect(redirects, { method: "HEAD", rawHeaders: ["host", "Assets.TEST"] })).toBe(URL_OF_ASSET);
  for (const changes of [
    { method: "POST" },
    { target: "/a" },
    { target: "/a?s=/" },
    { version: "1.0" },
    { isUpgrade: true },
    { rawHeaders: [] },
    { rawHeaders: ["Host", "assets.test", "Host", "assets.test"] },
    { rawHeaders: ["Host", "other.test"] },
    { rawHeaders: ["Host", "assets.test", "Content-Length", "5"] },
    { rawHeaders: ["Host", "assets.test", "Transfer-Encoding", "chunked"] },
  ]) {
    expect([changes, admitRedirect(redirects, changes)]).toEqual([changes, undefined]);
  }
  const found = redirects.admit({
    method: "GET",
    version: "1.1",
    target: "/a?s=%2F",
    rawHeaders: ["Host", "assets.test"],
    isUpgrade: false,
  });
  if (found === undefined) throw new TypeError("not found");
  const sent = ["Host", "assets.test", "Authorization", `Bearer ${route.dummy}`, "cookie", "a", "Accept", "*/*"];
  expect(createServiceHeaders(sent, found, "the key")).toEqual(["Host", "assets.test", "Accept", "*/*"]);
});

test.each([
  ["nothing", undefined],
  ["a path", "/b"],
  ["http", "http://assets.test/a"],
  ["a user", "https://u@assets.test/a"],
  ["the service itself, which the rules decide over", "https://api.example.test/v1/organization"],
])("an answer that leads to %s does not make a redirect that the broker serves", (_, location) => {
  expect(new Redirects().noteLocation(admitted, location, [route])).toBeUndefined();
});

test("the broker forgets the oldest of more than 100 redirects", () => {
  const redirects = new Redirects();
  for (let index = 0; index <= 100; index += 1)
    redirects.noteLocation(admitted, `https://assets.test/${index}`, [route]);
  expect(admitRedirect(redirects, { target: "/0" })).toBeUndefined();
  expect(admitRedirect(redirects, { target: "/1" })).toBe("https://assets.test/1");
  expect(admitRedirect(redirects, { target: "/100" })).toBe("https://assets.test/100");
});
