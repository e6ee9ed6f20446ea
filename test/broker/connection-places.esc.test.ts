/** The broker has a limit of connections. These tests show which connection it closes if all places are taken. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { BrokerProcess } from "./broker-process.ts";
import { readNextText, sendRequest, startBroker, startUpstream } from "./upstream.ts";

const MAX_CONNECTIONS = 256;

/** Connects, sends the text, and returns when the broker has received it. The broker does not need to have answered. */
async function openConnection({ origin }: BrokerProcess, text = "", localAddress?: string): Promise<Socket> {
  const options = { port: Number(new URL(origin).port), host: "127.0.0.1" };
  const socket = connect(localAddress === undefined ? options : { ...options, localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  if (text !== "") await new Promise<void>((resolve) => void socket.write(text, () => resolve()));
  return socket;
}

function requestHead({ origin, routes }: BrokerProcess, more: readonly string[] = [], target = "/v1/x"): string {
  const lines = [`GET ${target} HTTP/1.1`, `Host: ${new URL(origin).host}`];
  return [...lines, `Authorization: Bearer ${routes[0].dummy}`, ...more, "", ""].join("\r\n");
}

function sendGet(broker: BrokerProcess) {
  return sendRequest(broker.origin, "/v1/x", {
    method: "GET",
    headers: { Authorization: `Bearer ${broker.routes[0].dummy}` },
  });
}

const isOpen = (socket: Socket): boolean => !socket.closed;

async function openConnections(broker: BrokerProcess, count: number, text = ""): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = await openConnection(broker, text);
    sockets.push(socket.resume());
  }
  return sockets;
}

test.each([
  ["are idle", ""],
  ["send their head slowly", "GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "],
])("connections that %s give up their places to new ones, the oldest first", async (_, text) => {
  const upstream = await startUpstream((_request, response) => void response.end("served"));
  const broker = await startBroker(upstream.origin);
  const sockets = await openConnections(broker, MAX_CONNECTIONS, text);
  for (let round = 1; round <= 3; round += 1) {
    expect(await sendGet(broker)).toMatchObject({ status: 200, body: "served" });
  }
  const [oldest, ...others] = sockets;
  await expect.poll(() => oldest !== undefined && isOpen(oldest)).toBe(false);
  expect(others.filter(isOpen).length).toBeGreaterThanOrEqual(MAX_CONNECTIONS - 3);
  expect(others.at(-1)?.closed).toBe(false);
});

test("connections of refused requests whose rest does not come give up their places", async () => {
  const upstream = await startUpstream((_request, response) => void response.end("served"));
  const broker = await startBroker(upstream.origin);
  const refused = `POST /v1/x HTTP/1.1\r\nHost: ${new URL(broker.origin).host}\r\nContent-Length: 5\r\n\r\n`;
  await openConnections(broker, MAX_CONNECTIONS, refused);
  expect(await sendGet(broker)).toMatchObject({ status: 200, body: "served" });
});

test("a request under way, an upload and a WebSocket keep their places; kept connections lose theirs after unknown ones", async () => {
  const upstream = await startUpstream((asked, response) => {
    if (asked.url === "/v1/x") response.end("served");
    else response.flushHeaders();
  });
  upstream.server.on("upgrade", (_, socket: Socket) => {
    socket.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("data", (chunk) => void socket.write(chunk)).on("error", () => {});
  });
  const broker = await startBroker(upstream.origin);
  // This connection is the oldest of all.
  const kept = await openConnection(broker, requestHead(broker));
  await readNextText(kept);
  const waiting = await openConnection(broker, requestHead(broker, [], "/v1/wait"));
  await readNextText(waiting);
  const upload = await openConnection(broker, requestHead(broker, ["Content-Length: 9"], "/v1/upload"));
  await readNextText(upload);
  const webSocket = await openConnection(
    broker,
    requestHead(broker, ["Connection: Upgrade", "Upgrade: websocket"], "/v1/socket"),
  );
  await readNextText(webSocket);
  const idle = await openConnections(broker, MAX_CONNECTIONS - 4);
  const more = await openConnections(broker, MAX_CONNECTIONS);
  await expect.poll(() => idle.filter(isOpen)).toEqual([]);
  expect([kept, waiting, upload, webSocket].map(isOpen)).toEqual([true, true, true, true]);
  expect(more.filter(isOpen).length).toBeGreaterThanOrEqual(MAX_CONNECTIONS - 4);
  webSocket.write("still there");
  expect(await readNextText(webSocket)).toBe("still there");
  kept.write(requestHead(broker));
  expect(await readNextText(kept)).toMatch(/^HTTP\/1.1 200 /);
});

test("a kept connection gives up its place if all others are in use", async () => {
  const upstream = await startUpstream((asked, response) => {
    if (asked.url === "/v1/x") response.end("served");
  });
  const broker = await startBroker(upstream.origin);
  const kept = await openConnection(broker, requestHead(broker));
  await readNextText(kept);
  await openConnections(broker, MAX_CONNECTIONS - 1, requestHead(broker, [], "/v1/wait"));
  await expect.poll(() => upstream.requests.length).toBe(MAX_CONNECTIONS);
  expect(await sendGet(broker)).toMatchObject({ status: 200 });
  await expect.poll(() => kept.resume().closed).toBe(true);
});

test("an address that opens many connections loses its own connections, and not an older one of another address", async () => {
  const service = await startUpstream((_, response) => void response.end("served"));
  const broker = await startBroker(service.origin);
  const other = (await openConnection(broker, "G", "127.0.0.2")).resume();
  const many = await openConnections(broker, MAX_CONNECTIONS + 20);
  await expect.poll(() => many.filter(isOpen).length).toBe(MAX_CONNECTIONS - 1);
  expect(isOpen(other)).toBe(true);
});
