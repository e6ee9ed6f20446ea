/** Sends an answer of the ESC server to the client, changed or broken off by a planned fault. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createGzip, gzipSync } from "node:zlib";
import type { Answer } from "./answer.ts";
import type { Fault } from "./faults.ts";

/** The ways out of the server for one answer. */
export interface Channel {
  readonly response: ServerResponse;
  /** The TCP socket, beneath TLS if there is any: only it can be reset. */
  readonly socket: Socket;
  /** Compress what the client accepts compressed. */
  readonly gzip: boolean;
  readonly closing: AbortSignal;
}

/** Sends `answer`, or as much of it, as slowly, as `fault` allows. Resolves when nothing more will be sent. */
export async function transmitAnswer(answer: Answer, fault: Fault | undefined, channel: Channel): Promise<void> {
  switch (fault?.kind) {
    case "reset":
    case "disconnect":
      return breakOff(answer, fault, channel);
    case "hang":
      if (fault.at === "body") await startBody(answer, channel);
      return;
    case "drip":
      return dripAnswer(answer, fault, channel);
    case "oversized":
      return sendOversized(fault, channel);
    case "hold":
    case "status":
    case "html":
    case "truncated":
    case "invalidJson":
    case "empty":
    case "redirect":
    case "rateLimit":
    case "diagnostics":
    case "warnings":
    case "expired":
    case undefined:
      sendWhole(answer, channel);
  }
}

function sendWhole(answer: Answer, { response, gzip }: Channel): void {
  const compressed = gzip && answer.body !== "";
  const body = compressed ? gzipSync(answer.body) : Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...headersOf(answer),
    ...(compressed ? { "Content-Encoding": "gzip" } : {}),
    ...(answer.status === 204 ? {} : { "Content-Length": String(body.length) }),
  });
  response.end(body);
}

/** Answers of 5xx carry the service's request id; a support request needs it. */
function headersOf(answer: Answer): Record<string, string> {
  const id = answer.status >= 500 ? { "X-Pulumi-Request-ID": randomUUID() } : {};
  return { ...id, ...answer.headers };
}

type BreakOff = Extract<Fault, { kind: "reset" | "disconnect" }>;

async function breakOff(answer: Answer, fault: BreakOff, channel: Channel): Promise<void> {
  const carrier = channel.response.socket;
  if (fault.at === "headers" && carrier !== null) {
    await waitUntilWritten((done) => carrier.write(`HTTP/1.1 ${answer.status} OK\r\nContent-Type: applica`, done));
  }
  if (fault.at === "body") await startBody(answer, channel);
  if (fault.kind === "reset") channel.socket.resetAndDestroy();
  else carrier?.end();
}

/** Headers that announce the whole body, then its first half. */
async function startBody(answer: Answer, { response }: Channel): Promise<void> {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...headersOf(answer), "Content-Length": String(body.length) });
  await waitUntilWritten((done) => response.write(body.subarray(0, Math.ceil(body.length / 2)), done));
}

type Drip = Extract<Fault, { kind: "drip" }>;

async function dripAnswer(answer: Answer, { bytes, everyMs }: Drip, { response, closing }: Channel): Promise<void> {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...headersOf(answer), "Content-Length": String(body.length) });
  response.flushHeaders();
  for (let sent = 0; sent < body.length && !response.destroyed && !closing.aborted; sent += bytes) {
    response.write(body.subarray(sent, sent + bytes));
    await delay(everyMs, undefined, { signal: closing }).catch(ignoreAbort);
  }
  response.end();
}

type Oversized = Extract<Fault, { kind: "oversized" }>;

/** A JSON object of exactly `bytes` bytes, produced as fast as the client takes it. */
async function sendOversized({ bytes, gzip, declared }: Oversized, { response, closing }: Channel): Promise<void> {
  const frame = ['{"id":"', '"}'] as const;
  const padding = Math.max(0, bytes - frame[0].length - frame[1].length);
  response.writeHead(200, {
    "Content-Type": "application/json",
    ...(gzip === true ? { "Content-Encoding": "gzip" } : {}),
    ...(declared === true && gzip !== true
      ? { "Content-Length": String(frame[0].length + padding + frame[1].length) }
      : {}),
  });
  const sink = gzip === true ? createGzip() : response;
  if (sink !== response) sink.pipe(response);
  const gone = new Promise<undefined>((resolve) => {
    response.once("close", () => resolve(undefined));
  });
  const chunk = Buffer.alloc(64 << 10, "x");
  sink.write(frame[0]);
  for (let left = padding; left > 0 && !response.destroyed && !closing.aborted; left -= chunk.length) {
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    // Newer versions of Node.js emit `close` only in a later turn, and refuse writes until then.
    if ((await Promise.race([waitUntilWritten((done) => sink.write(part, done)), gone])) === "refused") return;
  }
  sink.end(frame[1]);
}

/** Resolves when the write is done; a client that has gone away is not an error of the server. */
function waitUntilWritten(write: (done: (error?: Error | null) => void) => void): Promise<"refused" | undefined> {
  return new Promise((resolve) => {
    write((error) => resolve(error ? "refused" : undefined));
  });
}

function ignoreAbort(reason: unknown): void {
  if (!(reason instanceof Error && reason.name === "AbortError")) throw reason;
}
