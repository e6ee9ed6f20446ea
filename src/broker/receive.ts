/**
 * Receives all that clients send to the broker: requests one after another, handshakes of WebSockets, CONNECT, and bytes that are no HTTP.
 * Each request is either admitted (admit.ts) and passed on to its service, or answered here. Each request has one record (exchange.ts).
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemErrorCode } from "../system/errors.ts";
import type { Admission, Admitted, RequestHead } from "./admit.ts";
import type { Passing } from "./answers.ts";
import type { Exchange, Exchanges } from "./exchange.ts";
import { forward } from "./forward-request.ts";
import { GUESS_MS, type Guesses, MAX_GUESSES } from "./guesses.ts";
import type { Limits } from "./key-limits.ts";
import type { LocalReading, LocalService } from "./local.ts";
import { readLocalBody } from "./local-body.ts";
import { readInParts } from "./parts.ts";
import { MAX_CONNECTIONS, type Places } from "./places.ts";
import type { Refusal, RefusalAnswer } from "./refusals.ts";
import { sendRaw, sendRefusal } from "./refuse.ts";
import { type Forwarded, Turns } from "./turns.ts";
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

/** The parts of a broker on which the handling of a request depends. */
export interface Reception extends Omit<Passing, "exchange"> {
  /** Decides over a request by the routes that are valid when it arrives. */
  readonly admit: Admission;
  /** Answers requests for services of this process, which need no key. */
  readonly local: LocalService;
  readonly places: Places;
  readonly exchanges: Exchanges;
  readonly limits: Limits;
  /** Slows down clients that guess keys; undefined unless other machines can reach the broker's address. */
  readonly guard?: Guard | undefined;
}

interface Guard {
  readonly guesses: Guesses;
  /** Reports to the user an address whose requests are refused from now on. */
  readonly guessed: (address: string) => void;
}

/** An admitted request. */
interface Received {
  readonly admitted: Admitted;
  readonly passing: Passing;
}

/** Begins to handle all requests to a server. */
export function receiveRequests(server: Server, reception: Reception): void {
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
  readonly #reception: Reception;
  readonly #turns = new Turns();

  constructor(server: Server, reception: Reception) {
    this.#server = server;
    this.#reception = reception;
  }

  handleConnection(socket: Socket): void {
    if (this.#hasTooManyGuesses(socket)) return void socket.destroy();
    readInParts(socket, {
      isKnown: () => this.#reception.places.isKnown(socket),
      isOver: () => this.#turns.isOver(socket),
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
    if (this.#turns.isBehind(socket)) return void request.resume();
    const send = (answer: RefusalAnswer): void => {
      this.#turns.refuse(socket);
      sendRefusal(request, response, answer);
    };
    const head = requestHead(request, { isUpgrade: false });
    const received = this.#receive(request, head, send, expectsContinue ? response : undefined);
    if (received === undefined) {
      // The answer may be sent only later (`delayAnswer`, `answerBody`). Requests behind this one must not be answered before it.
      this.#turns.refuse(socket);
      return;
    }
    const { admitted, passing } = received;
    const freePlace = this.#reception.places.use(socket);
    response.once("close", freePlace);
    const giveUp = forward(admitted, { request, response, expectsContinue }, passing);
    this.#turns.forwarded(socket, { request, response, exchange: passing.exchange, giveUp });
  }

  /** Handles a request that asks for another protocol. @param firstBytes the bytes that came behind the head of the request */
  handleUpgrade(request: IncomingMessage, socket: Duplex, firstBytes: Buffer): void {
    this.#turns.inTurn(socket, () => {
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
      this.#reception.places.use(socket);
      upgrade(received.admitted, { request, socket, head: firstBytes }, received.passing);
    });
  }

  /** Answers a CONNECT request, which admission always refuses. */
  handleConnect(request: IncomingMessage, socket: Duplex): void {
    const head = requestHead(request, { isUpgrade: false });
    this.#turns.inTurn(socket, () => this.#receive(request, head, (answer) => sendRaw(socket, answer)));
  }

  /** Answers bytes that are no request, or ends the connection, which may have failed. */
  handleClientError(error: Error, socket: ClientSocket): void {
    // An answer is being sent already. A client that sends nonsense and then ends its side causes a second error.
    if (socket.writableEnded) return;
    const underWay = this.#turns.underWay(socket);
    if (!socket.writable || this.#expectsNoAnswer(error, socket, underWay)) return void socket.destroy();
    if (underWay === undefined || underWay.request.complete) {
      this.#turns.inTurn(socket, () => {
        this.#reception.exchanges.open({}, undefined, (answer) => sendRaw(socket, answer)).refuse(MALFORMED);
      });
    } else if (underWay.response.headersSent) {
      // The client has a part of the service's answer. Only the end of the connection shows that the rest is missing.
      socket.destroy();
    } else {
      // The body of the request is malformed.
      underWay.giveUp();
      underWay.exchange.refuse(MALFORMED);
      underWay.response.end();
    }
  }

  /** Returns true if the client was silent, has ended before it began a request, or has left during a request. */
  #expectsNoAnswer(error: Error, socket: ClientSocket, underWay: Forwarded | undefined): boolean {
    const code = systemErrorCode(error);
    // In Bun `readableEnded` is false at the end, so the error's code decides.
    const hasEnded = socket.readableEnded || code === "HPE_INVALID_EOF_STATE";
    const isSilent = socket.bytesRead === 0 && (hasEnded || code === "ERR_HTTP_REQUEST_TIMEOUT");
    return isSilent || (hasEnded && (underWay !== undefined || this.#turns.isRefused(socket)));
  }

  /**
   * Admits a request, or answers it.
   *
   * @param send sends an answer of this process
   * @param waiting the response to a client that holds its body back (100-continue)
   * @returns undefined if the request was answered
   */
  #receive(
    request: IncomingMessage,
    head: RequestHead,
    send: (answer: RefusalAnswer) => void,
    waiting?: ServerResponse,
  ): Received | undefined {
    const { places, exchanges, services, replaced, redirected } = this.#reception;
    const { socket } = request;
    const hasPlace = places.mayUse(socket);
    const localResponse = hasPlace ? this.#reception.local(head) : undefined;
    if (localResponse !== undefined) {
      const exchange = exchanges.open(request, undefined, send);
      if ("status" in localResponse) exchange.answerLocally(localResponse);
      else {
        waiting?.writeContinue();
        void answerBody(request, localResponse, exchange);
      }
      return undefined;
    }
    const admittedOrRefusal = this.#decide(socket, head, hasPlace);
    if ("code" in admittedOrRefusal) {
      const sendInTime = this.#mustDelayAnswer(admittedOrRefusal, socket) ? delayAnswer(socket, send) : send;
      exchanges.open(request, undefined, sendInTime).refuse(admittedOrRefusal);
      return undefined;
    }
    const exchange = exchanges.open(request, admittedOrRefusal, send);
    return { admitted: admittedOrRefusal, passing: { services, exchange, replaced, redirected } };
  }

  /** Decides over a request that no service of this process answers. An admitted request counts towards the limit of its key. */
  #decide(socket: Socket, head: RequestHead, hasPlace: boolean): Admitted | Refusal {
    if (this.#hasTooManyGuesses(socket)) return TOO_MANY_GUESSES;
    if (!hasPlace) return TOO_MANY_REQUESTS;
    const admittedOrRefusal = this.#reception.admit(head);
    if ("code" in admittedOrRefusal || admittedOrRefusal.isBare === true) return admittedOrRefusal;
    return this.#reception.limits.take(admittedOrRefusal.route, performance.now()) ?? admittedOrRefusal;
  }

  /** Returns true if the client's address is refused because it has sent too many guesses. */
  #hasTooManyGuesses({ remoteAddress = "" }: Socket): boolean {
    return this.#reception.guard?.guesses.isRefused(remoteAddress, performance.now()) === true;
  }

  /**
   * Returns true if the answer must be delayed: the request has no key of this run, and other machines can reach the broker. Counts
   * the request if it is a guess. A request without credentials is no guess: a web page can make the user's browser send many, and
   * the program may have the same address as that browser.
   */
  #mustDelayAnswer({ code, isGuess = false }: Refusal, { remoteAddress = "" }: Socket): boolean {
    const { guard } = this.#reception;
    if (guard === undefined || code !== "broker-key") return false;
    if (isGuess && guard.guesses.note(remoteAddress, performance.now())) guard.guessed(remoteAddress);
    return true;
  }
}

/** Reads the body of a request to a service of this process, and answers it. */
async function answerBody(request: IncomingMessage, { maxBytes, answerTo }: LocalReading, exchange: Exchange) {
  const body = await readLocalBody(request, maxBytes);
  if (body === undefined) exchange.left();
  else exchange.answerLocally(answerTo(body));
}

type ClientSocket = Duplex & { readonly bytesRead?: number };

function requestHead(request: IncomingMessage, { isUpgrade }: Pick<RequestHead, "isUpgrade">): RequestHead {
  const { method = "", url: target = "", httpVersion: version, rawHeaders } = request;
  return { method, version, target, rawHeaders, isUpgrade };
}

/** Returns a function that sends an answer after a delay, unless the client has left by then. */
function delayAnswer(socket: Socket, send: (answer: RefusalAnswer) => void): (answer: RefusalAnswer) => void {
  return (answer) => {
    setTimeout(() => {
      if (!socket.destroyed) send(answer);
    }, GUESS_MS).unref();
  };
}
