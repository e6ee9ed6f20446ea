/**
 * Receives all that clients send to the broker: requests one after another, handshakes of WebSockets, CONNECT, and bytes that are
 * no HTTP. Each request is either admitted (admit.ts) and passed on to its service, or answered here. Each request has one record
 * (exchange.ts).
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemErrorCode } from "../system/errors.ts";
import type { Admission, AdmittedRequest, RequestHead } from "./admit.ts";
import type { ForwardingContext } from "./forwarding.ts";
import type { Exchange, Exchanges } from "./exchange.ts";
import { forwardRequest } from "./forward-request.ts";
import { GUESS_DELAY_MS, type GuessCounter, MAX_GUESSES } from "./guesses.ts";
import type { KeyLimits } from "./key-limits.ts";
import type { LocalBodyReader, LocalService } from "./local-service.ts";
import { readLocalBody } from "./read-local-body.ts";
import { readInParts } from "./read-in-parts.ts";
import { MAX_CONNECTIONS, type ConnectionPlaces } from "./connection-places.ts";
import type { Refusal, BrokerAnswer } from "./refusals.ts";
import { sendRaw, sendRefusal } from "./send-refusal.ts";
import { type RequestUnderWay, RequestTurns } from "./request-turns.ts";
import { isForWebSocket, requestWithoutUpgrade, upgrade } from "./upgrade.ts";

const MALFORMED: Refusal = {
  code: "broker-request",
  message: "the request is malformed, or its headers are too long",
};

const TOO_MANY_REQUESTS: Refusal = {
  code: "broker-request",
  message: `more than ${MAX_CONNECTIONS} requests are under way; wait for their answers before the next ones are sent`,
};

const TOO_MANY_GUESSES: Refusal = {
  code: "broker-denied",
  message: `this address sent ${MAX_GUESSES} wrong keys; it is refused for a minute`,
};

/** The functions and the state of the broker that the handling of requests needs. */
export interface ReceptionOptions extends Omit<ForwardingContext, "exchange"> {
  /** Decides about a request by the routes that are valid when it arrives. */
  readonly admit: Admission;
  /** Answers requests for services of this process, which need no key. */
  readonly answerLocally: LocalService;
  readonly places: ConnectionPlaces;
  readonly exchanges: Exchanges;
  readonly limits: KeyLimits;
  /** Slows down clients that guess keys; undefined unless other machines can reach the broker's address. */
  readonly guessGuard?: GuessGuard | undefined;
}

interface GuessGuard {
  readonly guessCounter: GuessCounter;
  /** Reports to the user an address whose requests are refused from now on. */
  readonly warnOfGuesses: (address: string) => void;
}

/** An admitted request, and what is needed to pass it on. */
interface RequestToForward {
  readonly admitted: AdmittedRequest;
  readonly context: ForwardingContext;
}

/** Begins to handle all requests to a server. */
export function receiveRequests(server: Server, reception: ReceptionOptions): void {
  const receiver = new Receiver(server, reception);
  server.on("connection", (socket) => receiver.handleConnection(socket));
  server.on("request", (request, response) => receiver.handleRequest(request, response, { expectsContinue: false }));
  server.on("checkContinue", (request, response) =>
    receiver.handleRequest(request, response, { expectsContinue: true }),
  );
  // An `Expect` other than 100-continue is ignored.
  server.on("checkExpectation", (request, response) =>
    receiver.handleRequest(request, response, { expectsContinue: false }),
  );
  server.on("upgrade", (request, socket, head) => receiver.handleUpgrade(request, socket, head));
  server.on("connect", (request, socket) => receiver.handleConnect(request, socket));
  server.on("clientError", (error, socket) => receiver.handleClientError(error, socket));
}

class Receiver {
  readonly #server: Server;
  readonly #reception: ReceptionOptions;
  readonly #turns = new RequestTurns();

  constructor(server: Server, reception: ReceptionOptions) {
    this.#server = server;
    this.#reception = reception;
  }

  handleConnection(socket: Socket): void {
    if (this.#hasTooManyGuesses(socket)) return void socket.destroy();
    readInParts(socket, {
      hasShownKey: () => this.#reception.places.isKnown(socket),
      mustDropBytes: () => this.#turns.hasRequestBehindRefusal(socket),
    });
  }

  /** Handles a request. `expectsContinue`: the client holds its body back until it gets an interim answer (100-continue). */
  handleRequest(
    request: IncomingMessage,
    response: ServerResponse,
    { expectsContinue }: { readonly expectsContinue: boolean },
  ): void {
    const { socket } = request;
    // A write to a client that has just left fails, which does not matter.
    response.on("error", () => {});
    if (this.#turns.countIfBehindRefusal(socket)) return void request.resume();
    const send = (answer: BrokerAnswer): void => {
      this.#turns.noteRefusal(socket);
      sendRefusal(request, response, answer);
    };
    const head = requestHead(request, { isUpgrade: false });
    const received = this.#receive(request, head, send, expectsContinue ? response : undefined);
    if (received === undefined) {
      // The answer may be sent only later (`delayAnswer`, `answerBody`). Requests behind this one must not be answered before it.
      this.#turns.noteRefusal(socket);
      return;
    }
    const { admitted, context } = received;
    const freePlace = this.#reception.places.beginRequest(socket);
    response.once("close", freePlace);
    const abort = forwardRequest(admitted, { request, response, expectsContinue }, context);
    this.#turns.noteForwarded(socket, { request, response, exchange: context.exchange, abort });
  }

  /** Handles a request that asks for another protocol. @param firstBytes the bytes that came behind the head of the request */
  handleUpgrade(request: IncomingMessage, socket: Duplex, firstBytes: Buffer): void {
    this.#turns.callInTurn(socket, () => {
      if (!isForWebSocket(request)) {
        socket.unshift(Buffer.concat([requestWithoutUpgrade(request), firstBytes]));
        // The server handles the socket as a new connection, and reads the request again, without its upgrade. The documentation of
        // Node.js allows callers to emit this event.
        return void this.#server.emit("connection", socket);
      }
      const head = requestHead(request, { isUpgrade: true });
      const received = this.#receive(request, head, (answer) => sendRaw(socket, answer));
      if (received === undefined) return;
      // The connection keeps its place until it is closed.
      this.#reception.places.beginRequest(socket);
      upgrade(received.admitted, { request, socket, bytesAfterHead: firstBytes }, received.context);
    });
  }

  /** Answers a CONNECT request, which admission always refuses. */
  handleConnect(request: IncomingMessage, socket: Duplex): void {
    const head = requestHead(request, { isUpgrade: false });
    this.#turns.callInTurn(socket, () => this.#receive(request, head, (answer) => sendRaw(socket, answer)));
  }

  /** Answers bytes that are no request. Ends the connection instead if it has failed, or if the client expects no answer. */
  handleClientError(error: Error, socket: ClientSocket): void {
    // An answer is being sent already. A client that sends nonsense and then ends its side causes a second error.
    if (socket.writableEnded) return;
    const underWay = this.#turns.findUnderWay(socket);
    if (!socket.writable || this.#expectsNoAnswer(error, socket, underWay)) return void socket.destroy();
    if (underWay === undefined || underWay.request.complete) {
      this.#turns.callInTurn(socket, () => {
        this.#reception.exchanges.open({}, undefined, (answer) => sendRaw(socket, answer)).refuse(MALFORMED);
      });
    } else if (underWay.response.headersSent) {
      // The client has a part of the service's answer. Only the end of the connection shows that the rest is missing.
      socket.destroy();
    } else {
      // The body of the request is malformed.
      underWay.abort();
      underWay.exchange.refuse(MALFORMED);
      underWay.response.end();
    }
  }

  /** Returns true if the client was silent, has ended before it began a request, or has left during a request. */
  #expectsNoAnswer(error: Error, socket: ClientSocket, underWay: RequestUnderWay | undefined): boolean {
    const code = systemErrorCode(error);
    // In Bun `readableEnded` is false at the end, so the error's code decides.
    const hasEnded = socket.readableEnded || code === "HPE_INVALID_EOF_STATE";
    const isSilent = socket.bytesRead === 0 && (hasEnded || code === "ERR_HTTP_REQUEST_TIMEOUT");
    return isSilent || (hasEnded && (underWay !== undefined || this.#turns.hasRefusal(socket)));
  }

  /**
   * Admits a request, or answers it.
   *
   * @param send sends an answer of this process
   * @param waitingResponse the response to a client that holds its body back (100-continue)
   * @returns undefined if the request was answered
   */
  #receive(
    request: IncomingMessage,
    head: RequestHead,
    send: (answer: BrokerAnswer) => void,
    waitingResponse?: ServerResponse,
  ): RequestToForward | undefined {
    const { places, exchanges, services, findReplaceableKeys, noteRedirect } = this.#reception;
    const { socket } = request;
    const hasPlace = places.mayBeginRequest(socket);
    const localResponse = hasPlace ? this.#reception.answerLocally(head) : undefined;
    if (localResponse !== undefined) {
      const exchange = exchanges.open(request, undefined, send);
      if ("status" in localResponse) exchange.answerLocally(localResponse);
      else {
        waitingResponse?.writeContinue();
        void answerBody(request, localResponse, exchange);
      }
      return undefined;
    }
    const decision = this.#decide(socket, head, hasPlace);
    if ("code" in decision) {
      const sendInTime = this.#mustDelayAnswer(decision, socket) ? delayAnswer(socket, send) : send;
      exchanges.open(request, undefined, sendInTime).refuse(decision);
      return undefined;
    }
    const exchange = exchanges.open(request, decision, send);
    return { admitted: decision, context: { services, exchange, findReplaceableKeys, noteRedirect } };
  }

  /** Decides about a request that no service of this process answers. An admitted request counts towards the limit of its key. */
  #decide(socket: Socket, head: RequestHead, hasPlace: boolean): AdmittedRequest | Refusal {
    if (this.#hasTooManyGuesses(socket)) return TOO_MANY_GUESSES;
    if (!hasPlace) return TOO_MANY_REQUESTS;
    const decision = this.#reception.admit(head);
    if ("code" in decision || decision.isWithoutCredentials === true) return decision;
    return this.#reception.limits.countRequest(decision.route, performance.now()) ?? decision;
  }

  /** Returns true if the client's address is refused because it has sent too many guesses. */
  #hasTooManyGuesses({ remoteAddress = "" }: Socket): boolean {
    return this.#reception.guessGuard?.guessCounter.isRefused(remoteAddress, performance.now()) === true;
  }

  /**
   * Returns true if the answer must be delayed: the request has no key of this run, and other machines can reach the broker. Counts
   * the request if it is a guess. A request without credentials is no guess: a web page can make the user's browser send many, and
   * the program may have the same address as that browser.
   */
  #mustDelayAnswer({ code, isGuess = false }: Refusal, { remoteAddress = "" }: Socket): boolean {
    const { guessGuard } = this.#reception;
    if (guessGuard === undefined || code !== "broker-key") return false;
    if (isGuess && guessGuard.guessCounter.countGuess(remoteAddress, performance.now()))
      guessGuard.warnOfGuesses(remoteAddress);
    return true;
  }
}

/** Reads the body of a request to a service of this process, and answers it. */
async function answerBody(request: IncomingMessage, { maxBytes, answerTo }: LocalBodyReader, exchange: Exchange) {
  const body = await readLocalBody(request, maxBytes);
  if (body === undefined) exchange.recordLeft();
  else exchange.answerLocally(answerTo(body));
}

type ClientSocket = Duplex & { readonly bytesRead?: number };

function requestHead(request: IncomingMessage, { isUpgrade }: Pick<RequestHead, "isUpgrade">): RequestHead {
  const { method = "", url: target = "", httpVersion: version, rawHeaders } = request;
  return { method, version, target, rawHeaders, isUpgrade };
}

/** Returns a function that sends an answer after a delay, unless the client has left by then. */
function delayAnswer(socket: Socket, send: (answer: BrokerAnswer) => void): (answer: BrokerAnswer) => void {
  return (answer) => {
    setTimeout(() => {
      if (!socket.destroyed) send(answer);
    }, GUESS_DELAY_MS).unref();
  };
}
