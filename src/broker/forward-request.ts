/**
 * Passes an admitted request on to its service, and the answer back to the client. Chunks are not collected: each chunk is passed
 * on as it comes, and a slow reader on one side slows down the sender on the other side. If one side ends its connection too
 * early, the other side sees an early end, too, and never a message that looks complete.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Admitted } from "./admit.ts";
import { valuesOf, without } from "./fields.ts";
import { headFor, isFinal, noAnswer, type Passing } from "./answers.ts";
import { sendBody } from "./body.ts";
import type { Refusal } from "./refusals.ts";
import { failureOf, maySendAgain, requestOf, type Services } from "./service.ts";

/** The longest time for which an answer of 401 is held back while ESC is asked whether the key has changed. */
const MAX_ROTATION_CHECK_MS = 3000;

interface ClientExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** True if the client waits for an interim answer before it sends the body, but not for long (`Expect: 100-continue`). */
  readonly expectsContinue: boolean;
}

/**
 * Passes the request on, and the answer back. May send the request twice: see `maySendAgain`.
 *
 * @returns a function that ends the request at the service
 */
export function forward(admitted: Admitted, client: ClientExchange, passing: Passing): () => void {
  const forwarded = new ForwardedRequest(admitted, client, passing);
  forwarded.start();
  return () => forwarded.giveUp();
}

/** One attempt to send the request to the service. */
interface Attempt {
  /** The request as it is sent to the service. */
  readonly sent: ClientRequest;
  /** The key that it carries. */
  readonly key: string;
  /** The service's answer, once its head has arrived. */
  answer: IncomingMessage | undefined;
}

/** A request on its way to the service, and the answer on its way back. */
class ForwardedRequest {
  readonly #admitted: Admitted;
  readonly #client: ClientExchange;
  readonly #passing: Passing;
  readonly #isChunked: boolean;
  /** `unsent`: no part of the body was read from the client yet. */
  #body: "none" | "unsent" | "sent";
  /** True once the broker itself has answered, so that nothing of the service's answer is passed back. */
  #isRefused = false;
  #latestAttempt: Attempt | undefined;
  #stopBody = (): void => {};

  constructor(admitted: Admitted, client: ClientExchange, passing: Passing) {
    const { rawHeaders } = client.request;
    this.#admitted = admitted;
    this.#client = client;
    this.#passing = passing;
    this.#isChunked = valuesOf(rawHeaders, "transfer-encoding").length > 0;
    const hasBody = this.#isChunked || valuesOf(rawHeaders, "content-length").length > 0;
    this.#body = hasBody ? "unsent" : "none";
  }

  start(): void {
    const { request, response } = this.#client;
    const { exchange } = this.#passing;
    this.#send();
    const leave = (): void => {
      this.#latestAttempt?.sent.destroy();
      exchange.left();
    };
    response.once("close", () => {
      if (!response.writableFinished) leave();
    });
    // If the client closes the connection before the answers to its earlier requests are complete, this response emits no `close`.
    request.on("error", leave);
    if (this.#body === "none") return;
    request.on("data", (chunk: Buffer) => {
      this.#body = "sent";
      exchange.count(chunk.length);
    });
    request.once("end", () => {
      this.#body = "sent";
    });
  }

  /** Ends the request at the service. The caller answers the client. */
  giveUp(): void {
    this.#isRefused = true;
    this.#latestAttempt?.sent.destroy();
  }

  /** Sends the request to the service. */
  #send(): void {
    const { method = "GET", rawHeaders } = this.#client.request;
    const added: Record<string, string> = this.#isChunked ? { "transfer-encoding": "chunked" } : {};
    const { services } = this.#passing;
    const { request: sent, key } = requestOf(this.#admitted, method, rawHeaders, { services, added });
    const attempt: Attempt = { sent, key, answer: undefined };
    this.#latestAttempt = attempt;
    this.#sendBody(sent);
    sent.on("error", (error) => this.#fail(attempt, error));
    sent.once("response", (answer) => this.#receive(attempt, answer));
    // The request has not asked for another protocol, so the client would not understand a service that switches to one.
    sent.once("upgrade", (_, socket) => {
      socket.destroy();
      this.#refuse(attempt, noAnswer(this.#admitted));
    });
  }

  #sendBody(sent: ClientRequest): void {
    if (this.#body === "none") return void sent.end();
    const { request, response, expectsContinue } = this.#client;
    if (expectsContinue) {
      sent.flushHeaders();
      sent.once("continue", () => response.writeContinue());
    } else setImmediate(() => sendHeadAlone(sent));
    // Also for a client that waits for the interim answer: if the service sends none, the client sends the body after a while.
    this.#stopBody = sendBody(request, sent, this.#isChunked);
  }

  /** Answers the client in place of the service. */
  #refuse({ sent }: Attempt, refusal: Refusal): void {
    this.#isRefused = true;
    this.#stopBody();
    this.#passing.exchange.refuse(refusal);
    sent.destroy();
  }

  /** Handles an error of the connection to the service: sends the request again, or tells the client. */
  #fail(attempt: Attempt, error: unknown): void {
    const { response } = this.#client;
    // After a complete answer, a service may close the connection, or send bytes that are no HTTP: neither matters.
    if (this.#isRefused || attempt.answer?.complete === true) return;
    // The client has a part of the answer: only the end of its connection can show that the rest is missing.
    if (response.headersSent || response.destroyed) {
      if (!response.writableEnded) response.destroy();
    } else if (attempt.answer === undefined && maySendAgain(attempt.sent, error, this.#body)) {
      this.#stopBody();
      this.#send();
    } else this.#refuse(attempt, failureOf(error, this.#admitted));
  }

  /** Handles the head of an answer. */
  #receive(attempt: Attempt, answer: IncomingMessage): void {
    if (!isFinal(answer)) return this.#refuse(attempt, noAnswer(this.#admitted));
    attempt.answer = answer;
    answer.on("error", (error) => this.#fail(attempt, error));
    // The bytes behind the head may not be HTTP. The parser then reports an error before the next tick.
    process.nextTick(() => void this.#passBack(attempt, answer));
  }

  async #passBack({ sent, key }: Attempt, answer: IncomingMessage): Promise<void> {
    const admitted = this.#admitted;
    const { request, response } = this.#client;
    const { services, exchange, redirected, replaced } = this.#passing;
    const isBodyRefused = refusesBody(answer) && !request.complete;
    if (isBodyRefused) this.#dropBody();
    const shouldRetry = answer.statusCode === 401 && (await isRotated(admitted, key, services));
    if (this.#isRefused || response.destroyed) return void sent.destroy();
    redirected(admitted, valuesOf(answer.rawHeaders, "location")[0]);
    const { reason, headers } = headFor(answer, admitted, replaced(admitted, key));
    exchange.answered(answer.statusCode, headers);
    // `answered` ends all requests if the record cannot be written.
    if (response.destroyed) return void sent.destroy();
    passAnswer(answer, response, reason, shouldRetry ? withRetryHeader(headers) : headers);
    answer.once("end", () => {
      response.end();
      // The answer is complete, but the request is not: the service will not read the rest of the body.
      if (request.complete && !isBodyRefused) return;
      this.#dropBody();
      sent.destroy();
    });
  }

  /** Reads and drops the rest of the body, so that the client can send it to the end. */
  #dropBody(): void {
    this.#stopBody();
    this.#client.request.resume();
  }
}

/** Passes an answer on: its head now, and the chunks of its body as they come. The caller ends the response. */
function passAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  reason: string,
  headers: readonly string[],
): void {
  // A part of the body often comes with the head, and is read in the next tick: both are then sent in one packet.
  const { socket } = response;
  socket?.cork();
  response.writeHead(answer.statusCode ?? 502, reason, [...headers]);
  sendHead(response, [reason, ...headers]);
  // Does what `pipe` does, with a tenth of the listeners. `start` has the listener that ends the request when the response is closed.
  answer.on("data", (chunk: Buffer) => {
    if (response.write(chunk)) return;
    answer.pause();
    response.once("drain", () => answer.resume());
  });
  process.nextTick(() => socket?.uncork());
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

/** Matches the option `close` in a value of `Connection`. */
const CLOSE_OPTION = /(?:^|,)\s*close\s*(?:,|$)/i;

/** Returns true for an error with which the service closes its connection: it will not read the body (RFC 9112, 9.6). */
function refusesBody({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 400 && CLOSE_OPTION.test(headers.connection ?? "");
}

/** Returns true if the key was rotated after the request was sent, so that the client may succeed with the new key. */
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

/** Adds the header that asks SDKs to send the request again. It replaces the same header of the service. */
export function withRetryHeader(headers: readonly string[]): readonly string[] {
  return [...without(headers, "x-should-retry"), "x-should-retry", "true"];
}
