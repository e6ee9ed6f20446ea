/**
 * The broker keeps connections to the service for further requests. A kept connection may have ended when the next
 * request comes.
 */
import { once } from "node:events";
import * as http from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  readNextText,
  type OpenedBroker,
  waitForResponse,
  sendRequest,
  startBroker,
  startUpstream,
  readText,
} from "./upstream.ts";

const bearerHeader = ({ routes }: OpenedBroker) => ({ Authorization: `Bearer ${routes[0].dummy}` });

/**
 * Starts a service that answers one request on each connection, and closes the connection when a second request comes.
 */
async function startForgetfulService() {
  const answered = new WeakSet<Socket>();
  const upstream = await startUpstream((request, response) => {
    const { socket } = request;
    if (answered.has(socket)) return void socket.destroy();
    answered.add(socket);
    return void request.resume().on("end", () => response.end("ok"));
  });
  const broker = await startBroker(upstream.origin, {});
  const first = await sendRequest(broker.origin, "/v1/first", { method: "GET", headers: bearerHeader(broker) });
  expect(first.status).toBe(200);
  return { upstream, broker, targets: () => upstream.requests.map(({ method, target }) => `${method} ${target}`) };
}

describe("a kept connection to the service", () => {
  test("carries one request after another; concurrent requests have a connection each", async () => {
    const waiting: (() => void)[] = [];
    const upstream = await startUpstream((request, response) => {
      if (request.url === "/v1/now") return void response.end("ok");
      waiting.push(() => void response.end("ok"));
      if (waiting.length === 5) for (const answer of waiting) answer();
    });
    let connections = 0;
    upstream.server.on("connection", () => void (connections += 1));
    const broker = await startBroker(upstream.origin, {});
    const get = (path: string) => sendRequest(broker.origin, path, { method: "GET", headers: bearerHeader(broker) });
    expect(connections).toBe(0);
    await get("/v1/now");
    await get("/v1/now");
    expect(connections).toBe(1);
    await Promise.all(Array.from({ length: 5 }, () => get("/v1/wait")));
    expect(connections).toBe(5);
    broker.close();
    await expect.poll(() => upstream.sockets.size).toBe(0);
  });

  test("is ended by the broker before the service's announced time is over", async () => {
    const upstream = await startUpstream((_, response) => void response.setHeader("Keep-Alive", "timeout=3").end("ok"));
    upstream.server.keepAliveTimeout = 0;
    const broker = await startBroker(upstream.origin, {});
    const freed = once(broker.agent, "free");
    const answer = sendRequest(broker.origin, "/v1/x", { method: "GET", headers: bearerHeader(broker) });
    const [kept]: readonly Socket[] = await freed;
    expect(kept?.timeout).toBeLessThanOrEqual(2000);
    await Promise.all([answer, once(kept ?? broker.agent, "close")]);
  });

  test("may be silent for longer than the announced time while it is in use", async () => {
    const waiting: http.ServerResponse[] = [];
    const upstream = await startUpstream((request, response) => {
      response.setHeader("Keep-Alive", "timeout=3");
      if (request.url === "/v1/wait") waiting.push(response);
      else response.end("ok");
    });
    upstream.server.keepAliveTimeout = 0;
    const broker = await startBroker(upstream.origin, {});
    const get = (path: string) => sendRequest(broker.origin, path, { method: "GET", headers: bearerHeader(broker) });
    await get("/v1/first");
    const free = () => Object.values(broker.agent.freeSockets).flatMap((sockets) => sockets ?? []);
    await expect.poll(() => free().length).toBe(1);
    const [kept] = free();
    const answer = get("/v1/wait");
    await once(kept ?? upstream.server, "timeout");
    expect(waiting).toHaveLength(1);
    waiting[0]?.end("late");
    expect(await answer).toMatchObject({ status: 200, body: "late" });
    expect(upstream.sockets.size).toBe(1);
  });

  test("is not made if the service announces a second or less", async () => {
    const upstream = await startUpstream((_, response) => void response.setHeader("Keep-Alive", "timeout=1").end("ok"));
    upstream.server.keepAliveTimeout = 0;
    const broker = await startBroker(upstream.origin, {});
    const freed = once(broker.agent, "free");
    const answer = sendRequest(broker.origin, "/v1/x", { method: "GET", headers: bearerHeader(broker) });
    const [socket]: readonly Socket[] = await freed;
    expect(socket?.destroyed).toBe(true);
    await answer;
  });

  test("is not left behind by a request that was given up while it was connecting", async () => {
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const broker = await startBroker(upstream.origin, {});
    const request = http.request({ agent: broker.agent, path: "/", port: new URL(upstream.origin).port });
    request.on("error", () => {}).end();
    request.destroy();
    await once(upstream.server, "connection");
    broker.close();
    await expect.poll(() => upstream.sockets.size).toBe(0);
    expect(upstream.requests).toEqual([]);
  });

  test("is not made after the broker has closed", async () => {
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const broker = await startBroker(upstream.origin, {});
    broker.close();
    const request = http.request({ agent: broker.agent, path: "/", port: new URL(upstream.origin).port });
    request.end();
    expect(await once(request, "error")).toMatchObject([{ name: "NetworkError" }]);
    expect(upstream.sockets.size).toBe(0);
  });
});

describe("a request that meets the end of a kept connection", () => {
  test.each(["GET", "HEAD", "DELETE"])("is sent again if its method is safe to repeat: %s", async (method) => {
    const { broker, targets } = await startForgetfulService();
    const answer = await sendRequest(broker.origin, "/v1/x", { method, headers: bearerHeader(broker) });
    expect(answer.status).toBe(200);
    expect(targets()).toEqual(["GET /v1/first", `${method} /v1/x`, `${method} /v1/x`]);
    expect(broker.records.map(({ outcome }) => outcome)).toEqual(["answered", "answered"]);
  });

  test("is sent again if its body was not begun", async () => {
    const { upstream, broker, targets } = await startForgetfulService();
    let asked = 0;
    upstream.server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      asked += 1;
      if (asked === 1) return void request.socket.destroy();
      response.writeContinue();
      return void request.resume().on("end", () => response.end("done"));
    });
    const headers = { ...bearerHeader(broker), Expect: "100-continue", "Content-Length": "4" };
    const request = http.request(broker.origin, { method: "POST", path: "/v1/files", headers, agent: false });
    onTestFinished(() => void request.destroy());
    const answered = waitForResponse(request);
    request.flushHeaders();
    await once(request, "continue");
    request.end("body");
    expect(await readText(await answered)).toBe("done");
    expect(asked).toBe(2);
    expect(targets()).toEqual(["GET /v1/first"]);
  });

  test.each([
    ["with a body", { body: "{}" }],
    ["without one", {}],
  ])("is not sent again if it could have an effect twice: POST %s", async (_, more) => {
    const { broker, targets } = await startForgetfulService();
    const answer = await sendRequest(broker.origin, "/v1/x", {
      method: "POST",
      headers: bearerHeader(broker),
      ...more,
    });
    expect(answer).toMatchObject({ status: 502, headers: { "x-should-retry": "true" } });
    expect(answer.body).toContain("broker-upstream");
    expect(targets()).toEqual(["GET /v1/first", "POST /v1/x"]);
    // The client's own second attempt gets a new connection.
    expect(await sendRequest(broker.origin, "/v1/x", { headers: bearerHeader(broker), ...more })).toMatchObject({
      status: 200,
    });
  });

  test("is sent again if it is the handshake of a WebSocket", async () => {
    const { upstream, broker } = await startForgetfulService();
    let shaken = 0;
    upstream.server.on("upgrade", (_, socket: Socket) => {
      shaken += 1;
      if (shaken === 1) return void socket.destroy();
      return void socket.write("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    });
    const { port, host } = new URL(broker.origin);
    const socket = connect(Number(port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const { Authorization } = bearerHeader(broker);
    const lines = ["GET /v1/x HTTP/1.1", `Host: ${host}`, `Authorization: ${Authorization}`];
    socket.write([...lines, "Connection: Upgrade", "Upgrade: websocket", "", ""].join("\r\n"));
    expect(await readNextText(socket)).toMatch(/^HTTP\/1.1 101 /);
    expect(shaken).toBe(2);
  });

  test("is not sent again if the connection was a new one", async () => {
    const upstream = await startUpstream((request) => void request.socket.destroy());
    const broker = await startBroker(upstream.origin, {});
    const answer = await sendRequest(broker.origin, "/v1/x", { method: "GET", headers: bearerHeader(broker) });
    expect(answer).toMatchObject({ status: 502, headers: { "x-should-retry": "true" } });
    expect(upstream.requests).toHaveLength(1);
  });
});
