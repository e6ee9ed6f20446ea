/** Sends the broker's own answers, and ends their connections. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { RefusalAnswer } from "./refusals.ts";

/**
 * How long the rest of a refused request is read and dropped. A connection that ends while its client is still sending is
 * reset, and the client reports that instead of the answer.
 */
const LINGER_MS = 2000;

/** Answers a request, and ends its connection. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, answer: RefusalAnswer): void {
  request.resume();
  response.writeHead(answer.status, { ...answer.headers });
  if (request.complete) return void response.end(answer.body);
  response.write(answer.body);
  const timer = setTimeout(() => response.end(), LINGER_MS).unref();
  request.once("end", () => response.end());
  response.once("close", () => clearTimeout(timer));
}

/** The same on a bare connection: Node.js has no response for CONNECT, upgrades and malformed requests. */
export function sendRaw(socket: Duplex, { status, headers, body }: RefusalAnswer): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Refused\r\n${lines.join("")}\r\n${body}`);
  endGently(socket);
}

/** Ends a connection when all is written, and drops what the client sends until then. Clients may leave their side open. */
export function endGently(socket: Duplex): void {
  socket.resume().end(() => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once("close", () => clearTimeout(timer));
  });
}
