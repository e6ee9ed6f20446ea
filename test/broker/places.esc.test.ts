/** The places for connections: who loses one if all are taken. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { BrokerProcess } from "./process.ts";
import { nextText, send, startBroker, startUpstream } from "./upstream.ts";

const PLACES = 256;

/** Connects, sends bytes, and waits until the broker has them: its answer to an earlier byte is not needed for that. */
async function open({ origin }: BrokerProcess, text = "", localAddress?: string): Promise<Socket> {
  const options = { port: Number(new URL(origin).port), host: "127.0.0.1" };
  const socket = connect(localAddress === undefined ? options : { ...options, localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  if (text !== "") await new Promise<void>((resolve) => void socket.write(text, () => resolve()));
  return socket;
}

function head({ origin, routes }: BrokerProcess, more: readonly string[] = [], target = "/v1/x"): string {
  const lines = [`GET ${target} HTTP/1.1`, `Host: ${new URL(origin).host}`];
  return [...lines, `Authorization: Bearer ${routes[0].dummy}`, ...more, "", ""].join("\r\n");
}

function request(broker: BrokerProcess) {
  return send(broker.origin, "/v1/x", {
    method: "GET",
    headers: { Authorization: `Bearer ${broker.routes[0].dummy}` },
  });
}

const isOpen = (socket: Socket): boolean => !socket.closed;

async function fill(broker: BrokerProcess, count: number, text = ""): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = await open(broker, text);
    sockets.push(socket.resume());
  }
  return sockets;
}

test.each([
  ["are idle", ""],
  ["send their head slowly", "GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "],
])("connections that %s give their places up, the oldest first", async (_, text) => {
  const upstream = await startUpstream((_request, response) => void response.end("served"));
  const broker = await startBroker(upstream.origin);
  const sockets = await fill(broker, PLACES, text);
  for (let round = 1; round <= 3; round += 1) {
    expect(await request(broker)).toMatchObject({ status: 200, body: "served" });
  }
  const [oldest, ...others] = sockets;
  await expect.poll(() => oldest !== undefined && isOpen(oldest)).toBe(false);
  expect(others.filter(isOpen).length).toBeGreaterThanOrEqual(PLACES - 3);
  expect(others.at(-1)?.closed).toBe(false);
});

test("requests that were refused, and whose rest does not come, give theirs up", async () => {
  const upstream = await startUpstream((_request, response) => void response.end("served"));
  const broker = await startBroker(upstream.origin);
  const refused = `POST /v1/x HTTP/1.1\r\nHost: ${new URL(broker.origin).host}\r\nContent-Length: 5\r\n\r\n`;
  await fill(broker, PLACES, refused);
  expect(await request(broker)).toMatchObject({ status: 200, body: "served" });
});

test("a request under way, an upload and a WebSocket keep theirs; so do kept connections before unknown ones", async () => {
  const upstream = await startUpstream((asked, response) => {
    if (asked.url === "/v1/x") response.end("served");
    else response.flushHeaders();
  });
  upstream.server.on("upgrade", (_, socket: Socket) => {
    socket.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("data", (chunk) => void socket.write(chunk)).on("error", () => {});
  });
  const broker = await startBroker(upstream.origin);
  // The oldest of all.
  const kept = await open(broker, head(broker));
  await nextText(kept);
  const waiting = await open(broker, head(broker, [], "/v1/wait"));
  await nextText(waiting);
  const upload = await open(broker, head(broker, ["Content-Length: 9"], "/v1/upload"));
  await nextText(upload);
  const webSocket = await open(broker, head(broker, ["Connection: Upgrade", "Upgrade: websocket"], "/v1/socket"));
  await nextText(webSocket);
  const idle = await fill(broker, PLACES - 4);
  const more = await fill(broker, PLACES);
  await expect.poll(() => idle.filter(isOpen)).toEqual([]);
  expect([kept, waiting, upload, webSocket].map(isOpen)).toEqual([true, true, true, true]);
  expect(more.filter(isOpen).length).toBeGreaterThanOrEqual(PLACES - 4);
  webSocket.write("still there");
  expect(await nextText(webSocket)).toBe("still there");
  kept.write(head(broker));
  expect(await nextText(kept)).toMatch(/^HTTP\/1.1 200 /);
});

test("a kept connection gives its place up if all others are in use", async () => {
  const upstream = await startUpstream((asked, response) => {
    if (asked.url === "/v1/x") response.end("served");
  });
  const broker = await startBroker(upstream.origin);
  const kept = await open(broker, head(broker));
  await nextText(kept);
  await fill(broker, PLACES - 1, head(broker, [], "/v1/wait"));
  await expect.poll(() => upstream.requests.length).toBe(PLACES);
  expect(await request(broker)).toMatchObject({ status: 200 });
  await expect.poll(() => kept.resume().closed).toBe(true);
});

test("an address that opens many connections closes its own ones, not the older one of another", async () => {
  const service = await startUpstream((_, response) => void response.end("served"));
  const broker = await startBroker(service.origin);
  const other = (await open(broker, "G", "127.0.0.2")).resume();
  const many = await fill(broker, PLACES + 20);
  await expect.poll(() => many.filter(isOpen).length).toBe(PLACES - 1);
  expect(isOpen(other)).toBe(true);
});
