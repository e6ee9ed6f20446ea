/** Sends the broker's own answers, and then ends the connection in a way in which the client can read the answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { BrokerAnswer } from "./refusals.ts";

/**
 * The time for which the rest of a refused request is read and dropped. If the broker closed the connection while the client is
 * still sending, the kernel would reset it, and the client would report the reset instead of the answer.
 */
const LINGER_MS = 2000;

/** Answers a request, and ends its connection once the request was read, or after `LINGER_MS`. */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, answer: BrokerAnswer): void {
  request.resume();
  response.writeHead(answer.status, { ...answer.headers });
  if (request.complete) return void response.end(answer.body);
  response.write(answer.body);
  const timer = setTimeout(() => response.end(), LINGER_MS).unref();
  request.once("end", () => response.end());
  response.once("close", () => clearTimeout(timer));
}

/** Answers by writing to the socket. Node.js has no `ServerResponse` for CONNECT, upgrades and malformed requests. */
export function sendRaw(socket: Duplex, { status, headers, body }: BrokerAnswer): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Refused\r\n${lines.join("")}\r\n${body}`);
  endGently(socket);
}

/**
 * Ends a connection once everything was written, and drops what the client sends. If the client leaves its own side open, the
 * connection is closed after `LINGER_MS`.
 */
export function endGently(socket: Duplex): void {
  socket.resume().end(() => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once("close", () => clearTimeout(timer));
  });
}
