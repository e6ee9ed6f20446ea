/**
 * Passes an admitted request on to its service, and the answer back. Nothing is kept: each chunk goes on as it comes, and
 * who reads slowly slows the sender down. An end that comes too early on one side is an early end on the other side.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Admitted } from "./admit.ts";
import { valuesOf, without } from "./fields.ts";
import { headFor, isFinal, noAnswer, type Passing } from "./answers.ts";
import { sendBody } from "./body.ts";
import type { Refusal } from "./refusals.ts";
import { failureOf, maySendAgain, requestOf, type Services } from "./service.ts";

/** The longest time for which an answer of 401 is held, while ESC is asked whether the key has changed. */
const LOOK_MS = 3000;

/**
 * Passes the request on, and the answer back.
 *
 * @param expectsContinue the client waits until it is told to send the body, but not for long (`Expect: 100-continue`)
 * @returns a function that gives the request up at the service
 */
export function forward(
  admitted: Admitted,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  passing: Passing,
  expectsContinue: boolean,
): () => void {
  const { services, exchange } = passing;
  const { rawHeaders, method = "GET" } = request;
  const isChunked = valuesOf(rawHeaders, "transfer-encoding").length > 0;
  const hasBody = isChunked || valuesOf(rawHeaders, "content-length").length > 0;
  const added: Record<string, string> = isChunked ? { "transfer-encoding": "chunked" } : {};
  let body: "none" | "unsent" | "sent" = hasBody ? "unsent" : "none";
  let isRefused = false;
  let stopBody = (): void => {};
  let upstream = begin();

  response.once("close", () => {
    if (response.writableFinished) return;
    upstream.destroy();
    exchange.left();
  });
  // Its client has left before the answers of earlier requests were whole.
  request.on("error", () => {
    upstream.destroy();
    exchange.left();
  });
  if (hasBody) {
    request.on("data", (chunk: Buffer) => {
      body = "sent";
      exchange.count(chunk.length);
    });
    request.once("end", () => {
      body = "sent";
    });
  }
  return () => {
    isRefused = true;
    upstream.destroy();
  };

  function begin(): ClientRequest {
    const { request: sent, key } = requestOf(admitted, method, rawHeaders, { services, added });
    let received: IncomingMessage | undefined;
    if (hasBody) {
      if (expectsContinue) {
        sent.flushHeaders();
        sent.once("continue", () => response.writeContinue());
      } else setImmediate(() => sendAlone(sent));
      // Also one that expects to be told: if the service is silent, clients send it after a while.
      stopBody = sendBody(request, sent, isChunked);
    } else sent.end();
    const refuse = (refusal: Refusal): void => {
      isRefused = true;
      stopBody();
      exchange.refuse(refusal);
      sent.destroy();
    };
    const fail = (error: unknown): void => {
      // A service may end or spoil the connection behind an answer that is whole.
      if (isRefused || received?.complete === true) return;
      // The answer to a body that is still being sent may come, and with it the end of the connection.
      if (response.headersSent || response.destroyed) {
        if (!response.writableEnded) response.destroy();
      } else if (received === undefined && maySendAgain(sent, error, body)) {
        stopBody();
        upstream = begin();
      } else refuse(failureOf(error, admitted));
    };
    sent.on("error", fail);
    sent.once("response", (answer) => {
      if (!isFinal(answer)) return refuse(noAnswer(admitted));
      received = answer;
      answer.on("error", fail);
      // Bytes that came with the head may be something else than an answer: then there is an error first.
      process.nextTick(() => void passBack(answer, sent, key));
    });
    // The request has not asked for another protocol.
    sent.once("upgrade", (_, socket) => {
      socket.destroy();
      refuse(noAnswer(admitted));
    });
    return sent;
  }

  async function passBack(answer: IncomingMessage, sent: ClientRequest, key: string): Promise<void> {
    const isUnread = refusesBody(answer) && !request.complete;
    if (isUnread) {
      stopBody();
      request.resume();
    }
    const shouldRetry = answer.statusCode === 401 && (await isRotated(admitted, key, services));
    if (isRefused || response.destroyed) return void sent.destroy();
    passing.redirected(admitted, valuesOf(answer.rawHeaders, "location")[0]);
    const { reason, headers } = headFor(answer, admitted, passing.replaced(admitted, key));
    const passed = shouldRetry ? retried(headers) : headers;
    exchange.answered(answer.statusCode, headers);
    if (response.destroyed) return void sent.destroy();
    // The part of the body that came with the head goes on with it, in one packet: it is read in the next tick.
    const { socket } = response;
    socket?.cork();
    response.writeHead(answer.statusCode ?? 502, reason, [...passed]);
    sendHead(response, [reason, ...passed]);
    // As `pipe`, which costs ten times as many listeners. If the response is closed, so is the request to the service.
    answer.on("data", (chunk: Buffer) => {
      if (response.write(chunk)) return;
      answer.pause();
      response.once("drain", () => answer.resume());
    });
    process.nextTick(() => socket?.uncork());
    answer.once("end", () => {
      response.end();
      // The answer is whole, but not the request: the service does not read the rest of it.
      if (request.complete && !isUnread) return;
      stopBody();
      request.resume();
      sent.destroy();
    });
  }
}

/**
 * Sends the head of a request if no part of its body has come with it: the client may wait for an answer before it sends the
 * body, as for a refusal.
 */
function sendAlone(sent: ClientRequest): void {
  if (!sent.headersSent && !sent.destroyed) sent.flushHeaders();
}

/** Sends the head before there is a body. @param texts all texts of the head */
function sendHead(response: ServerResponse, texts: readonly string[]): void {
  // Node.js would send other letters as UTF-8, byte by byte.
  const all = texts.join("");
  if (Buffer.byteLength(all) > all.length) response.write("", "latin1");
  response.flushHeaders();
}

const CLOSES = /(?:^|,)\s*close\s*(?:,|$)/i;

/** Returns true for a failure with which the service closes its connection: the client stops (RFC 9112, 9.6). */
function refusesBody({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 400 && CLOSES.test(headers.connection ?? "");
}

/** Returns true if the key was replaced since the request began: with the new one the client may succeed. */
export async function isRotated({ route }: Admitted, key: string, services: Services): Promise<boolean> {
  if (services.keyOf(route.name) !== key) return true;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LOOK_MS);
  });
  await Promise.race([services.onUnauthorized(route.name), limit]);
  clearTimeout(timer);
  return services.keyOf(route.name) !== key;
}

/** Adds the header that asks clients to try again, in place of the service's own. */
export function retried(headers: readonly string[]): readonly string[] {
  return [...without(headers, "x-should-retry"), "x-should-retry", "true"];
}
