import { once } from "node:events";
import * as http from "node:http";
import { connect, Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { upgrade } from "../../src/broker/upgrade.ts";
import type { BrokerProcess } from "./broker-process.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";
import { readNextText, startBroker, startUpstream } from "./upstream.ts";

const HANDSHAKE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n";

/** Sends a handshake, and the text `more` directly after it. */
function sendHandshake({ origin, routes }: BrokerProcess, more = "", dummy = routes[0].dummy): Socket {
  const { port, host } = new URL(origin);
  const socket = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  socket.write(
    `GET /v1/responses HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${dummy}\r\n${HANDSHAKE}\r\n${more}`,
  );
  return socket;
}

/** Reads from the socket until the text has come. */
async function readUntil(socket: Socket, text: string): Promise<string> {
  let read = "";
  while (!read.includes(text)) read += await readNextText(socket);
  return read;
}

/** Starts a service that sends back what follows the handshake. */
async function startEchoService() {
  const upstream = await startUpstream((_, response) => void response.writeHead(426).end("no upgrade"));
  const upgraded: Socket[] = [];
  upstream.server.on("upgrade", (request, socket: Socket, head: Buffer) => {
    upgraded.push(socket);
    socket.on("error", () => {});
    socket.write(
      `HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Key: ${request.headers.authorization}\r\n\r\nhello;`,
    );
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  return { upstream, upgraded };
}

describe("a WebSocket", () => {
  test("is passed on in both directions, including what comes with the handshakes", async () => {
    const { upstream, upgraded } = await startEchoService();
    const broker = await startBroker(upstream.origin);
    const socket = sendHandshake(broker, "early;");
    const head = await readUntil(socket, "early;");
    expect(head).toMatch(/^HTTP\/1.1 101 Switching\r\n/);
    expect(head).toContain(`X-Key: Bearer ${broker.routes[0].dummy}`);
    expect(head).toMatch(/\r\n\r\nhello;early;$/);
    socket.write("\u0000later;");
    expect(await readUntil(socket, "later;")).toBe("\u0000later;");
    expect(upgraded).toHaveLength(1);
    expect(broker.records).toMatchObject([{ outcome: "answered", status: 101 }]);
  });

  test("ends on both sides when one side ends", async () => {
    const { upstream, upgraded } = await startEchoService();
    const broker = await startBroker(upstream.origin);
    const first = sendHandshake(broker);
    await readUntil(first, "hello;");
    first.destroy();
    await once(upgraded[0] ?? first, "close");
    const second = sendHandshake(broker);
    await readUntil(second, "hello;");
    upgraded[1]?.destroy();
    await once(second, "close");
    expect(upgraded).toHaveLength(2);
  });

  test("ends only when everything is written to a client that reads slowly and still sends", async () => {
    const upstream = await startUpstream(() => {});
    upstream.server.on("upgrade", (_, other: Socket) => {
      other.end("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nlast");
    });
    const connected = new Promise<Socket>((resolve) => void upstream.server.once("connection", resolve));
    const { agent } = await startBroker(upstream.origin, {});
    const written: string[] = [];
    const unwritten: (() => void)[] = [];
    const socket = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _, done) => {
        written.push(chunk.toString("latin1"));
        unwritten.push(done);
      },
    });
    const answered = new Promise<void>((resolve) => {
      const request = new http.IncomingMessage(new Socket());
      const [route] = createRoutes(upstream.origin);
      const refuse = (): never => expect.fail();
      upgrade(
        {
          route,
          slot: { header: "authorization", scheme: "bearer" },
          origin: route.origin,
          clientAddress: "http://127.0.0.1:1",
          target: "/v1/responses",
        },
        { request, socket, bytesAfterHead: Buffer.alloc(0) },
        {
          services: { keyOf: () => "key", agentFor: () => agent, onUnauthorized: () => Promise.resolve() },
          exchange: {
            countBytes: () => {},
            refuse,
            answerLocally: refuse,
            recordAnswer: () => resolve(),
            recordLeft: () => {},
          },
          findReplaceableKeys: () => [],
          noteRedirect: () => {},
        },
      );
    });
    const connection = await connected;
    await answered;
    await once(connection, "close");
    socket.push("still sent");
    for (let count = 0; count < unwritten.length; count += 1) unwritten[count]?.();
    await once(socket, "finish");
    expect(written.join("")).toMatch(/\r\n\r\nlast$/);
  });

  test("is given up at the service, too, if its client leaves before the service answers", async () => {
    const upstream = await startUpstream(() => {});
    const broker = await startBroker(upstream.origin);
    const asked = new Promise<Socket>((resolve) => {
      upstream.server.once("upgrade", (_, other: Socket) => resolve(other));
    });
    const socket = sendHandshake(broker);
    const other = await asked;
    socket.end();
    await once(other.resume(), "end");
    await expect.poll(() => broker.records).toMatchObject([{ outcome: "left", name: "OPENAI_API_KEY" }]);
  });

  test("that the service refuses gets the service's ordinary answer, and what follows is not read as a request", async () => {
    const upstream = await startUpstream((_, response) => void response.writeHead(426, "Upgrade Required").end("no"));
    const broker = await startBroker(upstream.origin);
    const smuggled = `GET /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${broker.routes[0].dummy}\r\n\r\n`;
    const socket = sendHandshake(broker, smuggled);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\n[^]*Connection: close\r\n\r\n/);
    expect(upstream.requests.map(({ target }) => target)).toEqual(["/v1/responses"]);
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${REAL_KEYS["OPENAI_API_KEY"]}`);
  });

  test("that the service refuses because the key was replaced meanwhile gets an answer that says it may be tried again", async () => {
    const upstream = await startUpstream((_, response) => {
      response.writeHead(401, { "x-should-retry": "false", "Content-Length": "2" }).end("no");
    });
    const broker = await startBroker(upstream.origin, {
      onUnauthorized: () => {
        broker.keys["OPENAI_API_KEY"] = "new-key";
        return Promise.resolve();
      },
    });
    const head = await readUntil(sendHandshake(broker), "\r\n\r\nno");
    expect(head.match(/^x-should-retry: .*$/gim)).toEqual(["x-should-retry: true"]);
  });

  test("without a key of this run is refused", async () => {
    const { upstream, upgraded } = await startEchoService();
    const socket = sendHandshake(await startBroker(upstream.origin), "", "sk-unknown");
    expect(await readUntil(socket, "}")).toMatch(/^HTTP\/1.1 401 [^]*broker-key/);
    expect(upgraded).toHaveLength(0);
  });

  test("to a service that cannot be reached is refused", async () => {
    const socket = sendHandshake(await startBroker("http://127.0.0.1:1"));
    expect(await readUntil(socket, "}")).toMatch(/^HTTP\/1.1 502 [^]*broker-upstream/);
  });
});

/**
 * Sends several requests at once.
 *
 * @returns everything that comes until the last request, which closes the connection, is answered
 */
async function sendRequests(
  broker: BrokerProcess,
  requests: readonly (readonly string[])[],
  body = "",
): Promise<string> {
  const { port, host } = new URL(broker.origin);
  const socket = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const heads = requests.map(([line = "", ...fields]) =>
    [`${line} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${broker.routes[0].dummy}`, ...fields, "", ""].join(
      "\r\n",
    ),
  );
  socket.write(heads.join("") + body);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe("an upgrade to another protocol is ignored", () => {
  const H2C = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB"];

  test("and the body, the neighbouring requests and each key are passed on as usual", async () => {
    const upstream = await startUpstream((request, response, received) => {
      request.on("end", () => response.end(`${received.method} ${received.body};`));
    });
    const broker = await startBroker(upstream.origin);
    const text = await sendRequests(
      broker,
      [
        ["GET /v1/models"],
        ["GET /v1/models", ...H2C],
        ["GET /v1/models", ...H2C],
        ["POST /v1/responses", ...H2C, "Content-Length: 5", "Connection: close"],
      ],
      "12345",
    );
    expect(text.match(/HTTP\/1.1 \d+|[A-Z]+ \d*;/g)?.join(" ")).toBe(
      "HTTP/1.1 200 GET ; HTTP/1.1 200 GET ; HTTP/1.1 200 GET ; HTTP/1.1 200 POST 12345;",
    );
    expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 4 }, () => `Bearer ${REAL_KEYS["OPENAI_API_KEY"]}`),
    );
    expect(JSON.stringify(upstream.requests)).not.toMatch(/upgrade|h2c|http2-settings/i);
    expect(broker.records).toHaveLength(4);
  });

  test("even if the client ends its side after the body while an earlier answer is still expected", async () => {
    const held: http.ServerResponse[] = [];
    const upstream = await startUpstream(({ url }, response) => {
      if (url === "/v1/models") held.push(response);
      else response.end("x");
    });
    const broker = await startBroker(upstream.origin);
    const { port, host } = new URL(broker.origin);
    const socket = connect(Number(port), "127.0.0.1");
    const head = (line: string, ...fields: readonly string[]): string =>
      [line, `Host: ${host}`, `Authorization: Bearer ${broker.routes[0].dummy}`, ...fields, "", ""].join("\r\n");
    socket.write(head("GET /v1/models HTTP/1.1") + head("POST /v1/responses HTTP/1.1", ...H2C, "Content-Length: 5"));
    await once(upstream.server, "request");
    socket.end("12345", () => held[0]?.end("first"));
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    // The broker still serves requests.
    expect(await sendRequests(broker, [["POST /v1/responses", "Connection: close"]])).toMatch(/^HTTP\/1.1 200 /);
  });

  test("and a request that would be refused anyway is refused, with everything that follows it", async () => {
    const upstream = await startUpstream((_, response) => void response.end("x"));
    const broker = await startBroker(upstream.origin);
    const text = await sendRequests(broker, [["GET /v1/organization/keys", ...H2C], ["GET /v1/models"]]);
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 403"]);
    expect(upstream.requests).toEqual([]);
  });
});
