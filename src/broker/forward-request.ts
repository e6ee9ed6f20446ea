/**
 * Passes an admitted request on to its service, and the answer back to the client. Chunks are not collected: each chunk is passed
 * on as it comes, and a slow reader on one side slows down the sender on the other side. If one side ends its connection too
 * early, the other side sees an early end, too, and never a message that looks complete.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { AdmittedRequest } from "./admit.ts";
import { valuesOf, withoutHeader } from "./header-fields.ts";
import { createClientHead, isFinalAnswer, createNotHttpRefusal, type ForwardingContext } from "./forwarding.ts";
import { sendBody } from "./send-body.ts";
import type { Refusal } from "./refusals.ts";
import { createUpstreamRefusal, maySendAgain, createServiceRequest, type Services } from "./service-request.ts";

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
export function forwardRequest(
  admitted: AdmittedRequest,
  client: ClientExchange,
  context: ForwardingContext,
): () => void {
  const forwardedRequest = new ForwardedRequest(admitted, client, context);
  forwardedRequest.start();
  return () => forwardedRequest.abort();
}

/** One attempt to send the request to the service. */
interface Attempt {
  /** The request as it is sent to the service. */
  readonly serviceRequest: ClientRequest;
  /** The key that it carries. */
  readonly key: string;
  /** The service's answer, once its head has arrived. */
  answer: IncomingMessage | undefined;
}

/** A request on its way to the service, and the answer on its way back. */
class ForwardedRequest {
  readonly #admitted: AdmittedRequest;
  readonly #client: ClientExchange;
  readonly #context: ForwardingContext;
  readonly #isChunked: boolean;
  /** `unsent`: no part of the body was read from the client yet. */
  #bodyState: "none" | "unsent" | "sent";
  /** True once the broker itself has answered, so that nothing of the service's answer is passed back. */
  #isRefused = false;
  #latestAttempt: Attempt | undefined;
  #stopBody = (): void => {};

  constructor(admitted: AdmittedRequest, client: ClientExchange, context: ForwardingContext) {
    const { rawHeaders } = client.request;
    this.#admitted = admitted;
    this.#client = client;
    this.#context = context;
    this.#isChunked = valuesOf(rawHeaders, "transfer-encoding").length > 0;
    const hasBody = this.#isChunked || valuesOf(rawHeaders, "content-length").length > 0;
    this.#bodyState = hasBody ? "unsent" : "none";
  }

  start(): void {
    const { request, response } = this.#client;
    const { exchange } = this.#context;
    this.#send();
    const leave = (): void => {
      this.#latestAttempt?.serviceRequest.destroy();
      exchange.recordLeft();
    };
    response.once("close", () => {
      if (!response.writableFinished) leave();
    });
    // If the client closes the connection before the answers to its earlier requests are complete, this response emits no `close`.
    request.on("error", leave);
    if (this.#bodyState === "none") return;
    request.on("data", (chunk: Buffer) => {
      this.#bodyState = "sent";
      exchange.countBytes(chunk.length);
    });
    request.once("end", () => {
      this.#bodyState = "sent";
    });
  }

  /** Ends the request at the service. The caller answers the client. */
  abort(): void {
    this.#isRefused = true;
    this.#latestAttempt?.serviceRequest.destroy();
  }

  /** Sends the request to the service. */
  #send(): void {
    const { method = "GET", rawHeaders } = this.#client.request;
    const connectionHeaders: Record<string, string> = this.#isChunked ? { "transfer-encoding": "chunked" } : {};
    const { services } = this.#context;
    const { request: serviceRequest, key } = createServiceRequest(this.#admitted, method, rawHeaders, {
      services,
      connectionHeaders,
    });
    const attempt: Attempt = { serviceRequest, key, answer: undefined };
    this.#latestAttempt = attempt;
    this.#sendBody(serviceRequest);
    serviceRequest.on("error", (error) => this.#fail(attempt, error));
    serviceRequest.once("response", (answer) => this.#receive(attempt, answer));
    // The request has not asked for another protocol, so the client would not understand a service that switches to one.
    serviceRequest.once("upgrade", (_, socket) => {
      socket.destroy();
      this.#refuse(attempt, createNotHttpRefusal(this.#admitted));
    });
  }

  #sendBody(serviceRequest: ClientRequest): void {
    if (this.#bodyState === "none") return void serviceRequest.end();
    const { request, response, expectsContinue } = this.#client;
    if (expectsContinue) {
      serviceRequest.flushHeaders();
      serviceRequest.once("continue", () => response.writeContinue());
    } else setImmediate(() => flushUnsentHead(serviceRequest));
    // Also for a client that waits for the interim answer: if the service sends none, the client sends the body after a while.
    this.#stopBody = sendBody(request, serviceRequest, this.#isChunked);
  }

  /** Answers the client in place of the service. */
  #refuse({ serviceRequest }: Attempt, refusal: Refusal): void {
    this.#isRefused = true;
    this.#stopBody();
    this.#context.exchange.refuse(refusal);
    serviceRequest.destroy();
  }

  /**
   * Handles an error of the connection to the service: sends the request again, answers the client, or ends the client's
   * connection.
   */
  #fail(attempt: Attempt, error: unknown): void {
    const { response } = this.#client;
    // After a complete answer, a service may close the connection, or send bytes that are no HTTP: neither matters.
    if (this.#isRefused || attempt.answer?.complete === true) return;
    // The client has a part of the answer: only the end of its connection can show that the rest is missing.
    if (response.headersSent || response.destroyed) {
      if (!response.writableEnded) response.destroy();
    } else if (attempt.answer === undefined && maySendAgain(attempt.serviceRequest, error, this.#bodyState)) {
      this.#stopBody();
      this.#send();
    } else this.#refuse(attempt, createUpstreamRefusal(error, this.#admitted));
  }

  /** Handles the head of an answer. */
  #receive(attempt: Attempt, answer: IncomingMessage): void {
    if (!isFinalAnswer(answer)) return this.#refuse(attempt, createNotHttpRefusal(this.#admitted));
    attempt.answer = answer;
    answer.on("error", (error) => this.#fail(attempt, error));
    // The bytes behind the head may not be HTTP. The parser then reports an error before the next tick.
    process.nextTick(() => void this.#passBack(attempt, answer));
  }

  async #passBack({ serviceRequest, key }: Attempt, answer: IncomingMessage): Promise<void> {
    const admitted = this.#admitted;
    const { request, response } = this.#client;
    const { services, exchange, noteRedirect, findReplaceableKeys } = this.#context;
    const isBodyRefused = refusesBody(answer) && !request.complete;
    if (isBodyRefused) this.#dropBody();
    const shouldClientRetry = answer.statusCode === 401 && (await hasKeyRotated(admitted, key, services));
    if (this.#isRefused || response.destroyed) return void serviceRequest.destroy();
    noteRedirect(admitted, valuesOf(answer.rawHeaders, "location")[0]);
    const { reason, headers } = createClientHead(answer, admitted, findReplaceableKeys(admitted, key));
    exchange.recordAnswer(answer.statusCode, headers);
    // `recordAnswer` ends all requests if the record cannot be written.
    if (response.destroyed) return void serviceRequest.destroy();
    passAnswer(answer, response, reason, shouldClientRetry ? withRetryHeader(headers) : headers);
    answer.once("end", () => {
      response.end();
      // The answer is complete, but the request is not: the service will not read the rest of the body.
      if (request.complete && !isBodyRefused) return;
      this.#dropBody();
      serviceRequest.destroy();
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
  flushAnswerHead(response, [reason, ...headers]);
  // Does what `pipe` does, with a tenth of the listeners. `start` has the listener that ends the request when the response is
  // closed.
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
function flushUnsentHead(serviceRequest: ClientRequest): void {
  if (!serviceRequest.headersSent && !serviceRequest.destroyed) serviceRequest.flushHeaders();
}

/** Sends the head of an answer before there is a body. @param texts the reason and the headers */
function flushAnswerHead(response: ServerResponse, texts: readonly string[]): void {
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
export async function hasKeyRotated({ route }: AdmittedRequest, key: string, services: Services): Promise<boolean> {
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
  return [...withoutHeader(headers, "x-should-retry"), "x-should-retry", "true"];
}
