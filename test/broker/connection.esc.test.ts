/** The broker's connections: the code of each failure, and where a key arrives. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NetworkSettings } from "../../src/network/network-settings.ts";
import { startProxy, type ProxyOptions } from "../esc-server/proxy.ts";
import { REFUSED_PORT } from "../esc-server/sockets.ts";
import { useCertificates } from "../helpers/certificates.ts";
import { REAL_KEYS } from "./routes.ts";
import { sendRequest, startBroker, startUpstream, type Upstream } from "./upstream.ts";

/** No name server knows this host, so a request that reaches it has come through a proxy. */
const SERVICE = "https://service.test";
const KEY = REAL_KEYS["OPENAI_API_KEY"] ?? "";
const USER = { user: "us er", password: "p@ss:wörd" };

const certificates = useCertificates(["service.test"]);

type Network = Partial<NetworkSettings> & { readonly connectMs?: number };

/** Sends one request through a broker to the origin. */
async function sendThroughBroker(origin: string, network: Network = {}) {
  const broker = await startBroker(origin, {}, { certificateFile: certificates().caFile, ...network });
  const { dummy } = broker.routes[0];
  const { status, headers, body } = await sendRequest(broker.origin, "/v1/x", {
    headers: { Authorization: `Bearer ${dummy}` },
  });
  expect(body).not.toContain(KEY);
  const code = /"code":"([\w-]+)"/.exec(body)?.[1];
  expect(broker.records.map((record) => record.code)).toEqual([code]);
  return { status, retry: headers["x-should-retry"], code, body };
}

const TLS = { status: 502, retry: "false", code: "broker-tls" };
const UNREACHED = { status: 502, retry: "true", code: "broker-upstream" };

function startService(options?: tls.TlsOptions): Promise<Upstream> {
  return startUpstream((_, response) => void response.end("ok"), options);
}

/** Starts a server of TCP or TLS, and records the bytes that it reads, as Latin-1. */
async function startRecordingServer(server: net.Server, act: (socket: net.Socket) => void) {
  const heard = { text: "" };
  const sockets = new Set<net.Socket>();
  server.on(server instanceof tls.Server ? "secureConnection" : "connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("data", (chunk: Buffer) => void (heard.text += chunk.toString("latin1")));
    act(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { heard, port: typeof address === "object" ? address?.port : undefined };
}

/** Starts a proxy in front of the service, and records the bytes that the proxy receives. */
async function startProxyTo(upstream: Upstream, auth?: ProxyOptions["auth"], cover?: tls.TlsOptions) {
  const routes = { "service.test:443": { host: "127.0.0.1", port: Number(new URL(upstream.origin).port) } };
  const proxy = await startProxy({ routes, ...(auth === undefined ? {} : { auth }) });
  onTestFinished(() => proxy.close());
  const server = cover === undefined ? net.createServer() : tls.createServer(cover);
  const { heard, port } = await startRecordingServer(server, (socket) => {
    const link = net.connect(proxy.port, "127.0.0.1");
    link.on("error", () => socket.destroy()).pipe(socket);
    socket.on("close", () => link.destroy()).pipe(link);
  });
  const url = new URL(proxy.url);
  url.port = String(port);
  return { proxy, heard, url: cover === undefined ? url.href : url.href.replace("http:", "https:") };
}

describe("a service", () => {
  test("is reached by TLS with a certificate of the caller's authority", async () => {
    const upstream = await startService(certificates().valid);
    expect(await sendThroughBroker(upstream.origin)).toMatchObject({ status: 200, body: "ok" });
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test.each([
    ["has expired", "expired", "CERT_HAS_EXPIRED"],
    ["is for another host", "wrongHost", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["is of an authority that the caller does not trust", "unknownAuthority", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["is signed by itself", "selfSigned", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ] as const)("whose certificate %s gets no request", async (_, name, reason) => {
    const upstream = await startService(certificates()[name]);
    const answer = await sendThroughBroker(upstream.origin);
    expect(answer).toMatchObject(TLS);
    expect(answer.body).toContain(reason);
    expect(upstream.requests).toEqual([]);
  });

  test("that supports only TLS 1.1 gets no request", async () => {
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const upstream = await startService({ ...certificates().valid, ...old });
    expect(await sendThroughBroker(upstream.origin)).toMatchObject(TLS);
    expect(upstream.requests).toEqual([]);
  });

  test("that has no TLS gets no request", async () => {
    const { heard, port } = await startRecordingServer(net.createServer(), (socket) =>
      socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
    );
    expect(await sendThroughBroker(`https://127.0.0.1:${port}`)).toMatchObject(TLS);
    expect(heard.text).not.toContain(KEY);
  });

  test("that closes the connection in the handshake leads to an error that says the client may try again", async () => {
    const { port } = await startRecordingServer(
      net.createServer(),
      (socket) => void socket.once("data", () => socket.destroy()),
    );
    expect(await sendThroughBroker(`https://127.0.0.1:${port}`)).toMatchObject(UNREACHED);
  });

  test("that refuses connections leads to an error that says the client may try again", async () => {
    const answer = await sendThroughBroker(`https://127.0.0.1:${REFUSED_PORT}`);
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toContain("cannot be reached (ECONNREFUSED)");
  });

  test("that does not answer the handshake is given up after the limit", async () => {
    const { heard, port } = await startRecordingServer(net.createServer(), () => {});
    const answer = await sendThroughBroker(`https://127.0.0.1:${port}`, { connectMs: 100 });
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toContain("timed out");
    expect(heard.text).not.toContain(KEY);
  });
});

describe("a proxy", () => {
  test.each([
    ["without a password", undefined, false],
    ["with a password", USER, false],
    ["over TLS", undefined, true],
    ["over TLS, with a password", USER, true],
  ])("leads to the service, and never sees the key: %s", async (_, auth, isCovered) => {
    const upstream = await startService(certificates().valid);
    const { proxy, heard, url } = await startProxyTo(upstream, auth, isCovered ? certificates().valid : undefined);
    expect(await sendThroughBroker(SERVICE, { httpsProxy: url })).toMatchObject({ status: 200, body: "ok" });
    expect(proxy.requests).toEqual([
      { kind: "tunnel", target: "service.test:443", status: 200, sawAuthorization: false },
    ]);
    expect(upstream.requests[0]?.headers).toMatchObject({ host: "service.test", authorization: `Bearer ${KEY}` });
    expect(upstream.requests[0]?.headers).not.toHaveProperty("proxy-authorization");
    expect(heard.text).toContain("CONNECT service.test:443");
    expect(heard.text).not.toContain(KEY);
  });

  test("keeps its connection for further requests", async () => {
    const upstream = await startService(certificates().valid);
    const { proxy, url } = await startProxyTo(upstream);
    const network = { httpsProxy: url, certificateFile: certificates().caFile };
    const { origin, routes } = await startBroker(SERVICE, {}, network);
    for (let count = 0; count < 3; count += 1) {
      await sendRequest(origin, "/v1/x", { headers: { Authorization: `Bearer ${routes[0].dummy}` } });
    }
    expect(upstream.requests).toHaveLength(3);
    expect(proxy.tunnels).toBe(1);
  });

  test.each([
    ["that requires another password", "wrong", 407],
    ["that forbids it", 403, 403],
    ["that cannot reach it", 502, 502],
  ] as const)("%s leads to an error that names its status, and not its password", async (_, fault, status) => {
    const upstream = await startService(certificates().valid);
    const { proxy, heard, url } = await startProxyTo(upstream, USER);
    if (fault !== "wrong") proxy.fault = fault;
    const answer = await sendThroughBroker(SERVICE, {
      httpsProxy: fault === "wrong" ? url.replace("p%40ss", "0ther") : url,
    });
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toContain(`HTTP ${status}`);
    expect(answer.body).not.toMatch(/0ther|p%40ss|p@ss/);
    expect(heard.text).not.toContain(KEY);
    expect(upstream.requests).toEqual([]);
  });

  test("that refuses connections is named in the error", async () => {
    const answer = await sendThroughBroker(SERVICE, { httpsProxy: `http://127.0.0.1:${REFUSED_PORT}` });
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toContain(`cannot be reached (the proxy 127.0.0.1:${REFUSED_PORT}: ECONNREFUSED)`);
  });

  test("that does not answer is given up after the limit", async () => {
    const upstream = await startService(certificates().valid);
    const { proxy, heard, url } = await startProxyTo(upstream);
    proxy.fault = "hang";
    const answer = await sendThroughBroker(SERVICE, { httpsProxy: url, connectMs: 200 });
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toContain("timed out");
    expect(heard.text).not.toContain(KEY);
  });

  test.each([
    ["that is none", { httpsProxy: "socks5://proxy.test:1080" }, "HTTPS_PROXY"],
    ["that speaks another protocol", {}, "not HTTP"],
  ])("%s leads to an error that gives the reason", async (_, network, reason) => {
    const { heard, port } = await startRecordingServer(net.createServer(), (socket) =>
      socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
    );
    const answer = await sendThroughBroker(SERVICE, { httpsProxy: `http://127.0.0.1:${port}`, ...network });
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toContain(reason);
    expect(heard.text).not.toContain(KEY);
  });

  test("over TLS whose certificate is not trusted gets neither a request nor its password", async () => {
    const upstream = await startService(certificates().valid);
    const { proxy, heard, url } = await startProxyTo(upstream, USER, certificates().unknownAuthority);
    expect(await sendThroughBroker(SERVICE, { httpsProxy: url })).toMatchObject(TLS);
    expect(proxy.requests).toEqual([]);
    expect(heard.text).toBe("");
  });

  test("does not free the service from having a trusted certificate", async () => {
    const upstream = await startService(certificates().unknownAuthority);
    const { url } = await startProxyTo(upstream);
    expect(await sendThroughBroker(SERVICE, { httpsProxy: url })).toMatchObject(TLS);
    expect(upstream.requests).toEqual([]);
  });

  test("is not used for loopback addresses and the hosts of NO_PROXY", async () => {
    const upstream = await startService(certificates().valid);
    const { proxy, url } = await startProxyTo(upstream);
    expect(await sendThroughBroker(upstream.origin, { httpsProxy: url })).toMatchObject({ status: 200 });
    const answer = await sendThroughBroker("https://service.invalid", { httpsProxy: url, noProxy: ".invalid" });
    expect(answer).toMatchObject(UNREACHED);
    expect(answer.body).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(proxy.requests).toEqual([]);
  });
});

describe("a broker with the caller's environment", { timeout: 30_000 }, () => {
  const call = async (origin: string, env: Readonly<Record<string, string>>) => {
    const { PATH } = process.env;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "test/broker/request-by-environment.ts", origin],
      { env: { PATH, ...env }, timeout: 25_000, killSignal: "SIGKILL" },
    );
    return { outcome: stdout, stderr };
  };

  test.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])("trusts the authorities of %s", async (name) => {
    const upstream = await startService(certificates().valid);
    const { url } = await startProxyTo(upstream, USER);
    const { outcome } = await call(SERVICE, { [name]: certificates().caFile, HTTPS_PROXY: url });
    expect(JSON.parse(outcome)).toEqual({ status: 200, body: "ok" });
  });

  test("verifies certificates even if NODE_TLS_REJECT_UNAUTHORIZED is 0", async () => {
    const upstream = await startService(certificates().valid);
    const { outcome } = await call(upstream.origin, { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    expect(JSON.parse(outcome)).toMatchObject({ status: 502 });
    expect(outcome).toContain("broker-tls");
    expect(upstream.requests).toEqual([]);
  });
});
