/**
 * The broker: an HTTP server on loopback to which the program sends its requests with dummy keys. See ARCHITECTURE.md.
 *
 * It lives as long as the program. The program can use the keys through it as the rules allow, and so can each process that
 * reads a dummy: it is no boundary against the same user. A key leaves this process on the connection to its service alone.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { maskabilityOf } from "../masking/texts.ts";
import { systemErrorCode } from "../system/errors.ts";
import { admission, type Admitted } from "./admit.ts";
import type { Passing } from "./answers.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { forward } from "./forward.ts";
import type { Replaced } from "./headers.ts";
import type { Route } from "./route.ts";
import type { RequestRecord } from "./record.ts";
import type { Refusal, RefusalAnswer } from "./refusals.ts";
import { Places } from "./places.ts";
import { sendRaw, sendRefusal } from "./refuse.ts";
import type { Services } from "./service.ts";
import { isForWebSocket, requestWithoutUpgrade, upgrade } from "./upgrade.ts";

const HEADERS_MS = 10_000;
const CHECK_MS = 1000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;
/** Longer than clients keep an idle connection: otherwise a request may meet the end of its connection. */
const IDLE_MS = 75_000;

const MALFORMED: Refusal = {
  code: "broker-request",
  message: "the request is malformed, or its headers are too long",
};

const TOO_MANY: Refusal = {
  code: "broker-request",
  message: `more than ${MAX_CONNECTIONS} requests are under way; wait for their answers before the next ones are sent`,
};

interface Forwarded {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  readonly giveUp: () => void;
}

export interface Broker {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string;
  /** Admits later requests by these routes. Requests under way keep theirs. */
  readonly replaceRoutes: (routes: readonly Route[]) => void;
  /** Records all requests under way as left, and ends them. */
  readonly close: () => void;
}

export interface BrokerParts extends Services {
  /** Throws if a record cannot be written: then the broker closes, since each use must be on record. */
  readonly record: (entry: RequestRecord) => void;
  /** The broker has closed for that reason. */
  readonly failed: (error: unknown) => void;
}

/** Listens on a free port of 127.0.0.1. @throws the system's error if it cannot, or if clients cannot connect to it */
export async function openBroker(parts: BrokerParts): Promise<Broker> {
  const server = createServer({
    headersTimeout: HEADERS_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // Refused with the broker's own answer.
    requireHostHeader: false,
    noDelay: true,
  });
  // Their bytes are limited; by default Node.js drops those behind the thousandth in silence.
  server.maxHeadersCount = 0;
  const places = new Places(MAX_CONNECTIONS);
  // No Set: its outgrown tables refer to the next ones, so that one of them in V8's old space keeps all later requests
  // alive until a full collection. 10,000 requests cost 70 MB on Node.js 24.
  const exchanges: Exchange[] = [];
  /** The last request of each socket that was forwarded. */
  const latest = new WeakMap<Duplex, Forwarded>();
  const refused = new WeakSet<Duplex>();
  server.on("connection", (socket) => {
    // Counted here: Bun ignores server.maxConnections.
    if (!places.take(socket)) socket.destroy();
  });
  const port = await listenOnLoopback(server);
  const broker = `http://127.0.0.1:${port}`;
  const origins = new Set<string>();
  let admit = admission([], port);
  let served: readonly Route[] = [];
  const replaced = ({ route }: Admitted, key: string): Replaced => {
    const present = served.map(({ name, dummy }) => [parts.keyOf(name), dummy] as const);
    // Placeholders for services that need no key, such as `x`, are parts of other words.
    const hidden = [[key, route.dummy] as const, ...present].filter(([each]) => maskabilityOf(each) === "masked");
    return hidden.toSorted(([one], [other]) => other.length - one.length);
  };
  let isClosed = false;

  const close = (): void => {
    isClosed = true;
    server.close();
    // A copy: each one is removed when it is recorded.
    for (const exchange of exchanges.slice()) exchange.left();
    places.clear();
    for (const origin of origins) parts.agentFor(origin).destroy();
  };
  const record = (entry: RequestRecord): void => {
    try {
      parts.record(entry);
    } catch (error) {
      if (isClosed) return;
      close();
      parts.failed(error);
    }
  };

  /** Admits a request, or answers it. */
  function receive(
    request: IncomingMessage,
    isUpgrade: boolean,
    send: (answer: RefusalAnswer) => void,
  ): { readonly admitted: Admitted; readonly passing: Passing } | undefined {
    const { method = "", url: target = "", httpVersion: version, rawHeaders, socket } = request;
    const asked = { method, version, target, rawHeaders, isUpgrade };
    const outcome: Admitted | Refusal = places.mayUse(socket) ? admit(asked) : TOO_MANY;
    const admitted = "code" in outcome ? undefined : outcome;
    const recordOnce = (entry: RequestRecord): void => {
      exchanges.splice(exchanges.indexOf(exchange), 1);
      record(entry);
    };
    const exchange = openExchange(request, admitted, recordOnce, send);
    exchanges.push(exchange);
    if ("code" in outcome) exchange.refuse(outcome);
    return admitted === undefined ? undefined : { admitted, passing: { services: parts, exchange, broker, replaced } };
  }

  const serve =
    (expectsContinue: boolean) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      const { socket } = request;
      // A chunk may come for a client that has just left.
      response.on("error", () => {});
      // Requests behind a refused one get no answer: its connection ends (RFC 9112, 9.6).
      if (refused.has(socket)) return void request.resume();
      const received = receive(request, false, (answer) => {
        refused.add(socket);
        sendRefusal(request, response, answer);
      });
      if (received === undefined) return;
      const { admitted, passing } = received;
      const free = places.use(socket);
      response.once("close", free);
      const giveUp = forward(admitted, { request, response }, passing, expectsContinue);
      latest.set(socket, { request, response, exchange: passing.exchange, giveUp });
    };
  server.on("request", serve(false));
  server.on("checkContinue", serve(true));
  server.on("checkExpectation", serve(false));
  /** Acts when the earlier requests of a connection were answered. */
  const inTurn = (socket: Duplex, take: () => void): void => {
    const before = latest.get(socket)?.response;
    if (refused.has(socket)) return;
    if (before === undefined || before.closed) take();
    else before.once("close", () => socket.writable && take());
  };
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    inTurn(socket, () => {
      if (!isForWebSocket(request)) {
        socket.unshift(Buffer.concat([requestWithoutUpgrade(request), head]));
        // Node.js documents that: the server takes the stream as a new connection.
        return void server.emit("connection", socket);
      }
      const received = receive(request, true, (answer) => sendRaw(socket, answer));
      if (received === undefined) return;
      // Until its end.
      places.use(socket);
      upgrade(received.admitted, { request, socket, head }, received.passing);
    });
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    inTurn(socket, () => receive(request, false, (answer) => sendRaw(socket, answer)));
  });
  server.on("clientError", (error, socket: Duplex & { readonly bytesRead?: number }) => {
    const last = latest.get(socket);
    const code = systemErrorCode(error);
    // Its answer is being sent: a client that ends its side behind nonsense causes a second error.
    if (socket.writableEnded) return;
    // A client that is silent or ends before it has begun a request gets no answer, nor does one that leaves during a request.
    // In Bun its stream has not ended then.
    const hasEnded = socket.readableEnded || code === "HPE_INVALID_EOF_STATE";
    const isSilent = socket.bytesRead === 0 && (hasEnded || code === "ERR_HTTP_REQUEST_TIMEOUT");
    const isUnderWay = last !== undefined && !last.response.closed;
    const hasLeft = hasEnded && (isUnderWay || refused.has(socket));
    if (!socket.writable || hasLeft || isSilent) return void socket.destroy();
    if (!isUnderWay || last.request.complete) {
      inTurn(socket, () => refuseMalformed(socket));
    } else if (last.response.headersSent) socket.destroy();
    else {
      last.giveUp();
      last.exchange.refuse(MALFORMED);
      last.response.end();
    }
  });
  const refuseMalformed = (socket: Duplex): void => {
    openExchange({}, undefined, record, (answer) => sendRaw(socket, answer)).refuse(MALFORMED);
  };
  const replaceRoutes = (routes: readonly Route[]): void => {
    for (const { origin } of routes) origins.add(origin);
    served = routes;
    admit = admission(routes, port);
  };
  return { origin: broker, replaceRoutes, close };
}

/** Listens on a free port, to which it connects once: that fails if the loopback interface is down. @returns the port */
async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server has no port");
  const first = connect(address.port, "127.0.0.1");
  try {
    await once(first, "connect");
  } catch (error) {
    server.close();
    throw error;
  } finally {
    first.destroy();
  }
  return address.port;
}
