import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BrokerProcess } from "./process.ts";
import { KEYS } from "./routes.ts";
import { nextText, startBroker, startUpstream } from "./upstream.ts";

const HANDSHAKE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n";

/** Sends a handshake, and `more` right behind it. */
function shake({ origin, routes }: BrokerProcess, more = "", dummy = routes[0].dummy): Socket {
  const { port, host } = new URL(origin);
  const socket = connect(Number(port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  socket.write(
    `GET /v1/responses HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${dummy}\r\n${HANDSHAKE}\r\n${more}`,
  );
  return socket;
}

/** Reads until the text has come. */
async function until(socket: Socket, text: string): Promise<string> {
  let read = "";
  while (!read.includes(text)) read += await nextText(socket);
  return read;
}

/** A service that sends back what it gets behind its handshake. */
async function echo() {
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
  test("is passed on in both directions, what comes with the handshakes included", async () => {
    const { upstream, upgraded } = await echo();
    const broker = await startBroker(upstream.origin);
    const socket = shake(broker, "early;");
    const head = await until(socket, "early;");
    expect(head).toMatch(/^HTTP\/1.1 101 Switching\r\n/);
    expect(head).toContain(`X-Key: Bearer ${broker.routes[0].dummy}`);
    expect(head).toMatch(/\r\n\r\nhello;early;$/);
    socket.write("\u0000later;");
    expect(await until(socket, "later;")).toBe("\u0000later;");
    expect(upgraded).toHaveLength(1);
    expect(broker.records).toMatchObject([{ outcome: "answered", status: 101 }]);
  });

  test("ends on both sides when it ends on one", async () => {
    const { upstream, upgraded } = await echo();
    const broker = await startBroker(upstream.origin);
    const first = shake(broker);
    await until(first, "hello;");
    first.destroy();
    await once(upgraded[0] ?? first, "close");
    const second = shake(broker);
    await until(second, "hello;");
    upgraded[1]?.destroy();
    await once(second, "close");
    expect(upgraded).toHaveLength(2);
  });

  test("that the service refuses is an ordinary answer, and what follows is no request", async () => {
    const upstream = await startUpstream((_, response) => void response.writeHead(426, "Upgrade Required").end("no"));
    const broker = await startBroker(upstream.origin);
    const smuggled = `GET /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${broker.routes[0].dummy}\r\n\r\n`;
    const socket = shake(broker, smuggled);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\n[^]*Connection: close\r\n\r\n/);
    expect(upstream.requests.map(({ target }) => target)).toEqual(["/v1/responses"]);
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${KEYS["OPENAI_API_KEY"]}`);
  });

  test("without a key of this run is refused", async () => {
    const { upstream, upgraded } = await echo();
    const socket = shake(await startBroker(upstream.origin), "", "sk-unknown");
    expect(await until(socket, "}")).toMatch(/^HTTP\/1.1 401 [^]*broker-key/);
    expect(upgraded).toHaveLength(0);
  });

  test("to a service that cannot be reached is refused", async () => {
    const socket = shake(await startBroker("http://127.0.0.1:1"));
    expect(await until(socket, "}")).toMatch(/^HTTP\/1.1 502 [^]*broker-upstream/);
  });
});
