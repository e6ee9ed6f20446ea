/**
 * Passes WebSockets on. The handshake is admitted like any request, and sent with the key in place of the dummy. The frames that
 * follow are passed on in both directions, and nothing in them is examined or replaced.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AdmittedRequest } from "./admit.ts";
import { createClientHead, isFinalAnswer, createNotHttpRefusal, type ForwardingContext } from "./forwarding.ts";
import { hasKeyRotated, withRetryHeader } from "./forward-request.ts";
import { formatHead, withoutHeader } from "./header-fields.ts";
import type { Refusal } from "./refusals.ts";
import { endGently } from "./send-refusal.ts";
import { createUpstreamRefusal, maySendAgain, createServiceRequest } from "./service-request.ts";

/** Returns true if `Upgrade` names WebSocket, perhaps among other protocols. */
export function isForWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? "").split(",").some((protocol) => /^\s*websocket\s*(?:\/|$)/i.test(protocol));
}

/**
 * Returns the head of a request without its `Upgrade`, which a server may ignore (RFC 9110, 7.8). For example, Java's `HttpClient`
 * asks for `h2c` with its first request to each server without TLS.
 */
export function requestWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  return Buffer.from(
    formatHead(`${method} ${url} HTTP/${httpVersion}`, withoutHeader(rawHeaders, "upgrade")),
    "latin1",
  );
}

interface ClientHandshake {
  readonly request: IncomingMessage;
  /** The connection to the client. */
  readonly socket: Duplex;
  /** The bytes that the client sent after its handshake. */
  readonly bytesAfterHead: Buffer;
}

/** Passes an admitted handshake on, and then the frames. May send the handshake twice: see `maySendAgain`. */
export function upgrade(admitted: AdmittedRequest, client: ClientHandshake, context: ForwardingContext): void {
  new ForwardedHandshake(admitted, client, context).start();
}

/** A handshake on its way to the service, and the answer on its way back. */
class ForwardedHandshake {
  readonly #admitted: AdmittedRequest;
  readonly #client: ClientHandshake;
  readonly #context: ForwardingContext;
  /** The latest attempt to send the handshake. */
  #latestAttempt: ClientRequest | undefined;
  #stopWatching = (): void => {};

  constructor(admitted: AdmittedRequest, client: ClientHandshake, context: ForwardingContext) {
    this.#admitted = admitted;
    this.#client = client;
    this.#context = context;
  }

  start(): void {
    const { socket } = this.#client;
    this.#stopWatching = watchEnd(socket, () => socket.destroy());
    this.#send();
    socket.once("close", () => {
      this.#latestAttempt?.destroy();
      this.#context.exchange.recordLeft();
    });
  }

  #send(): void {
    const { request, socket } = this.#client;
    const { services } = this.#context;
    const connectionHeaders = { connection: "Upgrade", upgrade: "websocket" };
    const { request: attempt, key } = createServiceRequest(this.#admitted, "GET", request.rawHeaders, {
      services,
      connectionHeaders,
    });
    this.#latestAttempt = attempt;
    let isAnswered = false;
    attempt.on("error", (error) => {
      if (isAnswered || socket.writableEnded || socket.destroyed) return;
      if (maySendAgain(attempt, error, "none")) this.#send();
      else this.#refuse(createUpstreamRefusal(error, this.#admitted));
    });
    attempt.once("upgrade", (answer, service, firstBytes) => this.#joinService(answer, key, service, firstBytes));
    attempt.once("response", (answer) => {
      isAnswered = true;
      if (isFinalAnswer(answer)) return void this.#passRefusal(answer, key);
      this.#refuse(createNotHttpRefusal(this.#admitted));
      attempt.destroy();
    });
    attempt.end();
  }

  /** Answers the client in place of the service. */
  #refuse(refusal: Refusal): void {
    this.#stopWatching();
    this.#context.exchange.refuse(refusal);
  }

  /** Passes the answer of a service that accepts the handshake, and then all bytes in both directions. */
  #joinService(answer: IncomingMessage, key: string, service: Duplex, firstBytes: Buffer): void {
    const { socket, bytesAfterHead } = this.#client;
    this.#stopWatching();
    const answerHead = this.#recordHead(answer, key, ["Connection", "Upgrade", "Upgrade", "websocket"]);
    if (socket.destroyed) return void service.destroy();
    socket.write(answerHead, "latin1");
    if (firstBytes.length > 0) socket.write(firstBytes);
    if (bytesAfterHead.length > 0) service.write(bytesAfterHead);
    joinSockets(socket, service);
  }

  /** Passes the answer of a service that refuses the handshake. The frames that the client has sent already are dropped. */
  async #passRefusal(answer: IncomingMessage, key: string): Promise<void> {
    const { socket } = this.#client;
    answer.on("error", () => socket.destroy());
    const shouldRetry = answer.statusCode === 401 && (await hasKeyRotated(this.#admitted, key, this.#context.services));
    const answerHead = this.#recordHead(answer, key, ["Connection", "close"], shouldRetry);
    if (socket.destroyed) return;
    this.#stopWatching();
    socket.write(answerHead, "latin1");
    socket.resume();
    answer.pipe(socket);
  }

  /**
   * Records the answer, and returns its head for the client.
   *
   * @param connectionHeaders the headers of the connection to the client
   * @param shouldRetry adds the header that asks SDKs to try again
   */
  #recordHead(answer: IncomingMessage, key: string, connectionHeaders: readonly string[], shouldRetry = false): string {
    const { exchange, findReplaceableKeys } = this.#context;
    const { reason, headers } = createClientHead(answer, this.#admitted, findReplaceableKeys(this.#admitted, key));
    exchange.recordAnswer(answer.statusCode, headers);
    const passedHeaders = shouldRetry ? withRetryHeader(headers) : headers;
    return formatHead(`HTTP/1.1 ${answer.statusCode ?? 502} ${reason}`, [...passedHeaders, ...connectionHeaders]);
  }
}

/**
 * Calls back if the client ends its side before the service has answered. A stream reports its end only if it is read. So this
 * function reads while nothing is buffered. Frames that come before the answer stay in the buffer.
 *
 * @returns a function that stops the watch
 */
function watchEnd(client: Duplex, callback: () => void): () => void {
  const readIfEmpty = (): void => {
    if (client.readableLength === 0) client.read();
  };
  client.on("readable", readIfEmpty).once("end", callback);
  return () => void client.off("readable", readIfEmpty).off("end", callback);
}

/** Passes bytes on in both directions. An end or a failure of one side ends the other side as well. */
function joinSockets(client: Duplex, service: Duplex): void {
  passBytes(client, service);
  passBytes(service, client);
}

function passBytes(source: Duplex, target: Duplex): void {
  source.on("error", () => target.destroy());
  source.pipe(target);
  // This listener must run after the one of `pipe`. If the source has ended properly, its last bytes may still wait for a slow
  // reader. Then the target is ended, not destroyed.
  source.once("close", () => (source.readableEnded ? endGently(target) : target.destroy()));
}
