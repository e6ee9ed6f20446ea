/**
 * Receives all that clients send: requests one after another, handshakes of WebSockets, CONNECT, and bytes that are no HTTP.
 * Each request is admitted and forwarded, or answered here; each has one record.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemErrorCode } from "../system/errors.ts";
import type { Admission, Admitted, RequestHead } from "./admit.ts";
import type { Passing } from "./answers.ts";
import type { Exchange, Exchanges } from "./exchange.ts";
import { forward } from "./forward-request.ts";
import { GUESS_MS, type Guesses, MOST_GUESSES } from "./guesses.ts";
import type { Limits } from "./key-limits.ts";
import type { LocalReading, LocalService } from "./local.ts";
import { readLocalBody } from "./local-body.ts";
import { readInParts } from "./parts.ts";
import { MAX_CONNECTIONS, type Places } from "./places.ts";
import type { Refusal, RefusalAnswer } from "./refusals.ts";
import { sendRaw, sendRefusal } from "./refuse.ts";
import { Turns } from "./turns.ts";
import { isForWebSocket, requestWithoutUpgrade, upgrade } from "./upgrade.ts";

const MALFORMED: Refusal = {
  code: "broker-request",
  message: "the request is malformed, or its headers are too long",
};

const TOO_MANY: Refusal = {
  code: "broker-request",
  message: `more than ${MAX_CONNECTIONS} requests are under way; wait for their answers before the next ones are sent`,
};

const TOO_MANY_GUESSES: Refusal = {
  code: "broker-denied",
  message: `this address sent ${MOST_GUESSES} wrong keys; it is refused for a minute`,
};

export interface Reception extends Omit<Passing, "exchange"> {
  /** Decides by the routes that are valid when a request arrives. */
  readonly admit: Admission;
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

interface Received {
  readonly admitted: Admitted;
  readonly passing: Passing;
}

/** Serves all that the connections of a server send. */
export function receiveRequests(server: Server, reception: Reception): void {
  const receiver = new Receiver(server, reception);
  server.on("request", (request, response) => receiver.request(request, response, false));
  server.on("checkContinue", (request, response) => receiver.request(request, response, true));
  server.on("checkExpectation", (request, response) => receiver.request(request, response, false));
  server.on("upgrade", (request, socket, head) => receiver.upgrade(request, socket, head));
  server.on("connect", (request, socket) => receiver.connect(request, socket));
  server.on("clientError", (error, socket) => receiver.clientError(error, socket));
  server.on("connection", (socket) => receiver.connection(socket));
}

class Receiver {
  readonly #server: Server;
  readonly #reception: Reception;
  readonly #turns = new Turns();

  constructor(server: Server, reception: Reception) {
    this.#server = server;
    this.#reception = reception;
  }

  connection(socket: Socket): void {
    if (this.#isRefused(socket)) return void socket.destroy();
    readInParts(socket, {
      isKnown: () => this.#reception.places.isKnown(socket),
      isOver: () => this.#turns.isOver(socket),
    });
  }

  request(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { socket } = request;
    // A chunk may come for a client that has just left.
    response.on("error", () => {});
    if (this.#turns.isBehind(socket)) return void request.resume();
    const send = (answer: RefusalAnswer): void => {
      this.#turns.refuse(socket);
      sendRefusal(request, response, answer);
    };
    const received = this.#receive(request, false, send, expectsContinue ? response : undefined);
    if (received === undefined) {
      // The answer may be sent only later (`later`, `answerBody`). Requests behind this one must not be answered before it.
      this.#turns.refuse(socket);
      return;
    }
    const { admitted, passing } = received;
    const free = this.#reception.places.use(socket);
    response.once("close", free);
    const giveUp = forward(admitted, { request, response }, passing, expectsContinue);
    this.#turns.forwarded(socket, { request, response, exchange: passing.exchange, giveUp });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#turns.inTurn(socket, () => {
      if (!isForWebSocket(request)) {
        socket.unshift(Buffer.concat([requestWithoutUpgrade(request), head]));
        // The server handles the socket as a new connection, and reads the request again, without its upgrade. The documentation of
        // Node.js allows callers to emit this event.
        return void this.#server.emit("connection", socket);
      }
      const received = this.#receive(request, true, (answer) => sendRaw(socket, answer));
      if (received === undefined) return;
      // The connection keeps its place until it is closed.
      this.#reception.places.use(socket);
      upgrade(received.admitted, { request, socket, head }, received.passing);
    });
  }

  /** Answers a CONNECT request, which admission always refuses. */
  connect(request: IncomingMessage, socket: Duplex): void {
    this.#turns.inTurn(socket, () => this.#receive(request, false, (answer) => sendRaw(socket, answer)));
  }

  /** Answers bytes that are no request, or ends the connection, which may have failed. */
  clientError(error: Error, socket: Duplex & { readonly bytesRead?: number }): void {
    // An answer is being sent already. A client that sends nonsense and then ends its side causes a second error.
    if (socket.writableEnded) return;
    const code = systemErrorCode(error);
    const underWay = this.#turns.underWay(socket);
    // A client that is silent or ends before it has begun a request gets no answer, nor does one that leaves during a request.
    // In Bun `readableEnded` is false then, so the error's code decides.
    const hasEnded = socket.readableEnded || code === "HPE_INVALID_EOF_STATE";
    const isSilent = socket.bytesRead === 0 && (hasEnded || code === "ERR_HTTP_REQUEST_TIMEOUT");
    const hasLeft = hasEnded && (underWay !== undefined || this.#turns.isRefused(socket));
    if (!socket.writable || hasLeft || isSilent) socket.destroy();
    else if (underWay === undefined || underWay.request.complete) {
      this.#turns.inTurn(socket, () => {
        this.#reception.exchanges.open({}, undefined, (answer) => sendRaw(socket, answer)).refuse(MALFORMED);
      });
    } else if (underWay.response.headersSent) socket.destroy();
    else {
      underWay.giveUp();
      underWay.exchange.refuse(MALFORMED);
      underWay.response.end();
    }
  }

  /** Admits a request, or answers it. @param waiting the response of a client that holds its body back (100-continue) */
  #receive(
    request: IncomingMessage,
    isUpgrade: boolean,
    send: (answer: RefusalAnswer) => void,
    waiting?: ServerResponse,
  ): Received | undefined {
    const { places, exchanges, limits, services, replaced, redirected } = this.#reception;
    const { socket } = request;
    const localResponse = places.mayUse(socket) ? this.#reception.local(headIn(request, isUpgrade)) : undefined;
    if (localResponse !== undefined) {
      const exchange = exchanges.open(request, undefined, send);
      if ("status" in localResponse) exchange.answerLocally(localResponse);
      else {
        waiting?.writeContinue();
        void answerBody(request, localResponse, exchange);
      }
      return undefined;
    }
    const outcome = this.#isRefused(socket)
      ? TOO_MANY_GUESSES
      : places.mayUse(socket)
        ? this.#reception.admit(headIn(request, isUpgrade))
        : TOO_MANY;
    if ("code" in outcome) {
      exchanges
        .open(request, undefined, this.#mustDelayAnswer(outcome, socket) ? later(socket, send) : send)
        .refuse(outcome);
      return undefined;
    }
    const excess = outcome.isBare === true ? undefined : limits.take(outcome.route, performance.now());
    if (excess !== undefined) {
      exchanges.open(request, undefined, send).refuse(excess);
      return undefined;
    }
    const exchange = exchanges.open(request, outcome, send);
    return { admitted: outcome, passing: { services, exchange, replaced, redirected } };
  }

  /** Returns true if the client's address is refused because it has sent too many guesses. */
  #isRefused({ remoteAddress = "" }: Socket): boolean {
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

function headIn(request: IncomingMessage, isUpgrade: boolean): RequestHead {
  const { method = "", url: target = "", httpVersion: version, rawHeaders } = request;
  return { method, version, target, rawHeaders, isUpgrade };
}

/** Returns a function that sends an answer after a delay, unless the client has left by then. */
function later(socket: Socket, send: (answer: RefusalAnswer) => void): (answer: RefusalAnswer) => void {
  return (answer) => {
    setTimeout(() => {
      if (!socket.destroyed) send(answer);
    }, GUESS_MS).unref();
  };
}
