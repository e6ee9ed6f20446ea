/**
 * Passes an admitted request on to its service, and the answer back to the client. Chunks are not collected: each one is passed
 * on as it comes, and a slow reader on one side slows the sender on the other side down. If one side ends its connection too
 * early, the other side sees an early end, too, never a message that looks complete.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Admitted } from "./admit.ts";
import { valuesOf, without } from "./fields.ts";
import { headFor, isFinal, noAnswer, type Passing } from "./answers.ts";
import { sendBody } from "./body.ts";
import type { Refusal } from "./refusals.ts";
import { failureOf, maySendAgain, requestOf, type Services } from "./service.ts";

/** The longest time for which an answer of 401 is held back, while ESC is asked whether the key has changed. */
const MAX_ROTATION_CHECK_MS = 3000;

/**
 * Passes the request on, and the answer back. May send the request twice: see `maySendAgain`.
 *
 * @param expectsContinue the client waits for an interim answer before it sends the body, but not for long
 *   (`Expect: 100-continue`)
 * @returns a function that ends the request at the service
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
  // The client closed the connection before the answers to earlier requests were complete: this response emits no `close`.
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
      } else setImmediate(() => sendHeadAlone(sent));
      // Also for a client that waits for the interim answer: if the service sends none, the client sends the body after a while.
      stopBody = sendBody(request, sent, isChunked);
    } else sent.end();
    const refuse = (refusal: Refusal): void => {
      isRefused = true;
      stopBody();
      exchange.refuse(refusal);
      sent.destroy();
    };
    const fail = (error: unknown): void => {
      // After a complete answer, a service may close the connection, or send bytes that are no HTTP: neither matters.
      if (isRefused || received?.complete === true) return;
      // The client has a part of the answer: only the end of its connection can show that the rest is missing.
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
      // The bytes behind the head may not be HTTP. The parser then reports an error before the next tick.
      process.nextTick(() => void passBack(answer, sent, key));
    });
    // The request has not asked for another protocol: a service that switches is not understood.
    sent.once("upgrade", (_, socket) => {
      socket.destroy();
      refuse(noAnswer(admitted));
    });
    return sent;
  }

  async function passBack(answer: IncomingMessage, sent: ClientRequest, key: string): Promise<void> {
    const isBodyRefused = refusesBody(answer) && !request.complete;
    if (isBodyRefused) {
      stopBody();
      request.resume();
    }
    const shouldRetry = answer.statusCode === 401 && (await isRotated(admitted, key, services));
    if (isRefused || response.destroyed) return void sent.destroy();
    passing.redirected(admitted, valuesOf(answer.rawHeaders, "location")[0]);
    const { reason, headers } = headFor(answer, admitted, passing.replaced(admitted, key));
    const sentHeaders = shouldRetry ? withRetryHeader(headers) : headers;
    exchange.answered(answer.statusCode, headers);
    // `answered` ends all requests if the record cannot be written.
    if (response.destroyed) return void sent.destroy();
    // A part of the body often comes with the head, and is read in the next tick: both are then sent in one packet.
    const { socket } = response;
    socket?.cork();
    response.writeHead(answer.statusCode ?? 502, reason, [...sentHeaders]);
    sendHead(response, [reason, ...sentHeaders]);
    // Does what `pipe` does, with a tenth of the listeners. The listener for `close` above ends the request to the service.
    answer.on("data", (chunk: Buffer) => {
      if (response.write(chunk)) return;
      answer.pause();
      response.once("drain", () => answer.resume());
    });
    process.nextTick(() => socket?.uncork());
    answer.once("end", () => {
      response.end();
      // The answer is complete, but the request is not: the service will not read the rest of the body.
      if (request.complete && !isBodyRefused) return;
      stopBody();
      request.resume();
      sent.destroy();
    });
  }
}

/**
 * Sends the head of a request before its body, if no part of the body has come with it. The client may be waiting for an answer,
 * such as a refusal, before it sends the body.
 */
function sendHeadAlone(sent: ClientRequest): void {
  if (!sent.headersSent && !sent.destroyed) sent.flushHeaders();
}

/** Sends the head of an answer before there is a body. @param texts the reason and the headers */
function sendHead(response: ServerResponse, texts: readonly string[]): void {
  // Node.js holds the bytes of headers as Latin-1. Without this write it would encode those above 127 as UTF-8.
  const headText = texts.join("");
  if (Buffer.byteLength(headText) > headText.length) response.write("", "latin1");
  response.flushHeaders();
}

const CLOSE_OPTION = /(?:^|,)\s*close\s*(?:,|$)/i;

/** Returns true for an error with which the service closes its connection: it will not read the body (RFC 9112, 9.6). */
function refusesBody({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 400 && CLOSE_OPTION.test(headers.connection ?? "");
}

/** Returns true if the key was rotated since the request began: with the new key, the client may succeed. */
export async function isRotated({ route }: Admitted, key: string, services: Services): Promise<boolean> {
  if (services.keyOf(route.name) !== key) return true;
  let timer: NodeJS.Timeout | undefined;
  const timeLimit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, MAX_ROTATION_CHECK_MS);
  });
  await Promise.race([services.onUnauthorized(route.name), timeLimit]);
  clearTimeout(timer);
  return services.keyOf(route.name) !== key;
}

/** Adds the header that asks SDKs to try again, in place of the service's own one. */
export function withRetryHeader(headers: readonly string[]): readonly string[] {
  return [...without(headers, "x-should-retry"), "x-should-retry", "true"];
}
