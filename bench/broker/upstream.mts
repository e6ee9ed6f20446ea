/**
 * The service of `npx tsx bench/broker.ts`: `upstream.mts CERTIFICATE KEY REPOSITORIES`, PEM files and a folder. Prints its port, and answers each line of its
 * standard input with the number of its connections. Times are those of the machine's monotonic clock, in ns, which the
 * client reads, too.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { createInterface } from "node:readline";
import { serveGit } from "../../test/helpers/git-server.mts";

const [, , certificate = "", key = "", repositories = ""] = process.argv;
const ANSWER = JSON.stringify({ id: "x", choices: [{ message: { role: "assistant", content: "w".repeat(400) } }] });
const BLOCK = Buffer.alloc(64 * 1024, "b");
const sockets = new Set<Socket>();

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "https://127.0.0.1");
  const number = (name: string): number => Number(searchParams.get(name));
  if (pathname === "/v1/chat/completions") answer(request, response);
  else if (pathname === "/v1/events") sendEvents(response, number("count"), number("ms"));
  else if (pathname === "/v1/upload") receive(request, response);
  else if (pathname === "/v1/download") sendBytes(response, number("bytes"));
  else if (/\.git\//.test(pathname)) serveGit(repositories, request, response);
  else if (pathname === "/api/v3/user") response.end(JSON.stringify({ login: "octo" }));
  else response.writeHead(404).end();
});
server.on("connection", (socket: Socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket)).on("error", () => {});
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  // Sound: the server listens on a port.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  print((server.address() as AddressInfo).port);
});
createInterface({ input: process.stdin })
  .on("line", () => print(sockets.size))
  .on("close", () => process.exit());

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length }).end(ANSWER);
  });
}

/** Sends events that hold the time at which each was sent. */
function sendEvents(response: ServerResponse, count: number, ms: number): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let sent = 0;
  const send = (): void => {
    response.write(`data: ${process.hrtime.bigint()}\n\n`);
    sent += 1;
    if (sent < count) return;
    clearInterval(timer);
    response.end();
  };
  const timer = setInterval(send, ms);
  response.on("close", () => clearInterval(timer));
  send();
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  let first = 0n;
  request
    .on("data", (chunk: Buffer) => {
      if (bytes === 0) first = process.hrtime.bigint();
      bytes += chunk.length;
    })
    .on("end", () => response.end(JSON.stringify({ bytes, first: String(first) })));
}

function sendBytes(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { "content-length": bytes });
  let left = bytes;
  const send = (): void => {
    while (left > 0) {
      const block = BLOCK.subarray(0, Math.min(left, BLOCK.length));
      left -= block.length;
      if (!response.write(block)) return void response.once("drain", send);
    }
    response.end();
  };
  send();
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
