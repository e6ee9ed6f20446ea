import { spawn } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { createInterface } from "node:readline";
import * as tls from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { notLinux } from "../helpers/skip.ts";
import { apiHeaders, ask } from "./http.ts";
import { startEscServer } from "./index.ts";
import { type ProxyOptions, startProxy } from "./proxy.ts";
import { REFUSED_PORT, startDeafPort, startSilentServer } from "./sockets.ts";
import { type Certificates, makeCertificates } from "./tls.ts";

let certificates: Certificates;

beforeAll(async () => {
  certificates = await makeCertificates(["backend.test"]);
});
afterAll(() => certificates.remove());

test("serves TLS", async () => {
  await using server = await startEscServer({ tls: certificates.valid });
  const { status } = await ask(`${server.url}/api/user`, { headers: apiHeaders(server.token), ca: certificates.ca });
  expect([status, server.url]).toEqual([200, `https://127.0.0.1:${server.port}`]);
});

test.each([
  ["expired", "CERT_HAS_EXPIRED"],
  ["wrongHost", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["unknownAuthority", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
] as const)("serves TLS with a certificate to be refused: %s", async (kind, code) => {
  await using server = await startEscServer({ tls: certificates[kind] });
  const reply = ask(`${server.url}/api/user`, { headers: apiHeaders(server.token), ca: certificates.ca });
  await expect(reply).rejects.toMatchObject({ code });
  // The connection ended with the handshake, so that the token never left.
  expect([server.connections, server.calls.length]).toEqual([1, 0]);
});

test("listens on IPv6", async () => {
  await using server = await startEscServer({ host: "::1", basePath: "/some/prefix/" });
  expect(server.url).toBe(`http://[::1]:${server.port}/some/prefix`);
  expect((await ask(`${server.url}/api/user`, { headers: apiHeaders(server.token) })).status).toBe(200);
});

test("numbers connections, also with TLS, and resets them", async () => {
  await using server = await startEscServer({ tls: certificates.valid });
  const get = (): Promise<unknown> =>
    ask(`${server.url}/api/user`, { headers: apiHeaders(server.token), ca: certificates.ca });
  for (const at of ["start", "headers", "body"] as const) {
    server.failNext("user", { kind: "reset", at });
    await expect(get()).rejects.toMatchObject({ code: "ECONNRESET" });
  }
  await get();
  expect([server.connections, server.calls.map((call) => call.connection)]).toEqual([4, [1, 2, 3, 4]]);
});

/** A TLS request through a tunnel, to a name that no name server knows. */
async function throughTunnel(proxyUrl: string, authority: string, path: string, token: string): Promise<string> {
  const { port, username, password } = new URL(proxyUrl);
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const headers = username === "" ? {} : { "Proxy-Authorization": `Basic ${credentials}` };
  const connect = http.request({ port, host: "127.0.0.1", method: "CONNECT", path: authority, headers });
  connect.end();
  const [response, socket]: [http.IncomingMessage, net.Socket] = await new Promise((resolve, reject) => {
    connect.on("connect", (answer: http.IncomingMessage, tunnel: net.Socket) => resolve([answer, tunnel]));
    connect.on("error", reject);
  });
  if (response.statusCode !== 200) {
    socket.destroy();
    return String(response.statusCode);
  }
  const secure = tls.connect({ socket, servername: authority.split(":")[0], ca: certificates.ca });
  const lines = Object.entries(apiHeaders(token)).map(([name, value]) => `${name}: ${value}\r\n`);
  secure.write(`GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n${lines.join("")}\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of secure) chunks.push(chunk);
  return Buffer.concat(chunks).toString().slice(9, 12);
}

test("a proxy tunnels to names that only it knows, and requires its password", async () => {
  await using server = await startEscServer({ tls: certificates.valid });
  const routes = { "backend.test:443": { host: "127.0.0.1", port: server.port } };
  const options: ProxyOptions = { routes, auth: { user: "pr:oxy", password: "p@ss" } };
  await using proxy = await startProxy(options);
  const get = (url: string): Promise<string> => throughTunnel(url, "backend.test:443", "/api/user", server.token);
  expect(await get(proxy.url)).toBe("200");
  expect(await get(`http://127.0.0.1:${proxy.port}`)).toBe("407");
  proxy.fault = 503;
  expect(await get(proxy.url)).toBe("503");
  proxy.fault = undefined;
  expect(await throughTunnel(proxy.url, `127.0.0.1:${REFUSED_PORT}`, "/", "x")).toBe("502");
  expect([
    proxy.tunnels,
    proxy.requests.map((request) => [request.target, request.status, request.sawAuthorization]),
  ]).toEqual([
    1,
    [
      ["backend.test:443", 200, false],
      ["backend.test:443", 407, false],
      ["backend.test:443", 503, false],
      [expect.stringContaining("127.0.0.1:"), 502, false],
    ],
  ]);
  expect(server.violations).toEqual([]);
});

test("a proxy forwards plain requests, and sees their content", async () => {
  await using server = await startEscServer();
  const routes = { "backend.test:80": { host: "127.0.0.1", port: server.port } };
  await using proxy = await startProxy({ routes });
  const through = (path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      http
        .get({ port: proxy.port, host: "127.0.0.1", path, headers: apiHeaders(server.token) }, (response) => {
          response.resume().once("end", () => resolve(response.statusCode ?? 0));
        })
        .on("error", reject);
    });
  expect(await through("http://backend.test/api/user")).toBe(200);
  expect(await through("/api/user")).toBe(400);
  expect([proxy.forwards, proxy.requests[0]?.sawAuthorization, server.violations]).toEqual([2, true, []]);
});

test("a port refuses, another never answers, a third never connects", async () => {
  await expect(ask(`http://127.0.0.1:${REFUSED_PORT}/`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const silent = await startSilentServer();
  const unanswered = ask(`http://127.0.0.1:${silent.port}/`);
  expect((await silent.heard).toString()).toMatch(/^GET \/ HTTP/);
  const failure = unanswered.catch((error: unknown) => error);
  await silent.close();
  expect(await failure).toMatchObject({ code: "ECONNRESET" });
});

test("connecting to a deaf port never ends", async ({ skip }) => {
  skip(notLinux !== undefined, notLinux);
  const deaf = await startDeafPort();
  const socket = net.connect(deaf.port, "127.0.0.1");
  let connected = false;
  socket.once("connect", () => {
    connected = true;
  });
  // A connection that could be made would be made before one to a port that listens.
  await using server = await startEscServer();
  await ask(`${server.url}/api/user`, { headers: apiHeaders(server.token) });
  expect([connected, socket.connecting]).toEqual([false, true]);
  socket.destroy();
  await deaf.close();
});

test.each([["SIGTERM"], ["the end of standard input"]])(
  "the program prints where it listens and ends on %s",
  async (end) => {
    const program = spawn(process.execPath, ["--import", "tsx", "test/esc-server/main.ts", "--stdin"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(program, "exit");
    const [line] = await once(createInterface(program.stdout), "line");
    const { url, token, environment }: { url: string; token: string; environment: string } = JSON.parse(String(line));
    expect(environment).toBe("demo-org/sophia/dev");
    const headers = apiHeaders(token);
    const X = `${url}/api/esc/environments/${environment}`;
    const opened = await ask(`${X}/open?duration=1h`, { method: "POST", headers });
    const { properties } = JSON.parse((await ask(`${X}/open/${JSON.parse(opened.body).id}`, { headers })).body);
    expect(Object.keys(properties)).toEqual(["environmentVariables", "files"]);
    expect(properties.environmentVariables.value.QDRANT_URL.trace.def.environment).toBe("sophia/base");
    expect(properties.environmentVariables.value.LOG_LEVEL).toMatchObject({
      value: "debug",
      trace: { base: { value: "info" } },
    });
    const revisions = JSON.parse((await ask(`${X}/versions`, { headers })).body);
    expect(revisions).toMatchObject([
      { number: 2, tags: ["latest"] },
      { number: 1, tags: ["stable"] },
    ]);
    if (end === "SIGTERM") program.kill("SIGTERM");
    else program.stdin.end();
    expect(await exited).toEqual([0, null]);
  },
);
