/**
 * A service that records the requests which reach it, a broker in front of it, and a client, for the tests of src/broker. The
 * service and the broker are closed when the test ends.
 */
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type Broker, type BrokerOptions, openBroker } from "../../src/broker/broker-server.ts";
import type { ListenAddress } from "../../src/broker/broker-listen.ts";
import type { RequestRecord } from "../../src/broker/request-record.ts";
import { readCallerNetwork } from "../../src/esc/settings/access-settings.ts";
import { createConnectionPool } from "../../src/network/pool.ts";
import type { NetworkSettings } from "../../src/network/network-settings.ts";
import { isStandalone } from "../helpers/program.ts";
import { type BrokerProcess, startBrokerProcess } from "./broker-process.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";

/** The service, to which the broker forwards requests. */
export interface Upstream {
  readonly origin: string;
  readonly server: http.Server | https.Server;
  /** The method, target and headers of each request, and as much of its body as has come. */
  readonly requests: readonly ReceivedRequest[];
  readonly sockets: ReadonlySet<Socket>;
}

/** A request that reached the service. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly headers: http.IncomingHttpHeaders;
  /** The bytes of the body so far, as Latin-1. */
  body: string;
}

/** Starts the service on a free port. @param keepsBodies must be false if bodies are longer than a string can be */
export async function startUpstream(
  answer: (request: http.IncomingMessage, response: http.ServerResponse, received: ReceivedRequest) => void,
  tls?: https.ServerOptions,
  keepsBodies = true,
): Promise<Upstream> {
  const requests: ReceivedRequest[] = [];
  const receive = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const { method = "", url: target = "", rawHeaders, headers } = request;
    const received: ReceivedRequest = { method, target, rawHeaders, headers, body: "" };
    requests.push(received);
    if (keepsBodies) {
      request.on("data", (chunk: Buffer) => {
        received.body += chunk.toString("latin1");
      });
    }
    answer(request, response, received);
  };
  const server = tls === undefined ? http.createServer(receive) : https.createServer(tls, receive);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { origin: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, server, requests, sockets };
}

/** A broker in the process of the test. */
export interface OpenedBroker extends Broker, BrokerProcess {
  /** The values of the keys. A test may replace them. */
  readonly keys: Record<string, string>;
  readonly agent: http.Agent;
}

const NO_SETTINGS = readCallerNetwork(new Map());

/** The caller's network settings, and the limit of the time for connecting. */
type Network = Partial<NetworkSettings> & { readonly connectMs?: number; readonly address?: ListenAddress };

/**
 * Starts a broker with these parts. Without parts, the broker is in another process if the tests run with the
 * stand-alone executable.
 */
export async function startBroker(origin: string): Promise<BrokerProcess>;
export async function startBroker(
  origin: string,
  parts: Partial<BrokerOptions>,
  network?: Network,
): Promise<OpenedBroker>;
export async function startBroker(
  origin: string,
  parts?: Partial<BrokerOptions>,
  { connectMs, address, ...network }: Network = {},
): Promise<BrokerProcess> {
  if (isStandalone && parts === undefined) return startBrokerProcess(origin);
  const routes = createRoutes(origin);
  const records: RequestRecord[] = [];
  const keys = { ...REAL_KEYS };
  const agent = createConnectionPool(origin, { ...NO_SETTINGS, ...network }, connectMs);
  const all: BrokerOptions = {
    keyOf: (name) => keys[name] ?? "",
    agentFor: () => agent,
    onUnauthorized: () => Promise.resolve(),
    record: (entry) => void records.push(entry),
    reportRecordFailure: () => {},
    ...parts,
  };
  const broker = await openBroker(all, address);
  broker.replaceRoutes(routes);
  onTestFinished(broker.close);
  const opened: OpenedBroker = { ...broker, routes, records, keys, agent };
  return opened;
}

/** What the client got. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Sends one request on a connection of its own. */
export async function sendRequest(
  broker: string,
  target: string,
  {
    method = "POST",
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
): Promise<Answer> {
  const request = http.request(broker, { method, path: target, headers, agent: false });
  request.end(body);
  const response = await waitForResponse(request);
  return { status: response.statusCode ?? 0, headers: response.headers, body: await readText(response) };
}

/** Waits for the head of the answer. Rejects if the connection fails before it. */
export function waitForResponse(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
  });
}

/** Returns the next bytes of a socket or an answer, as text. */
export function readNextText(from: NodeJS.EventEmitter): Promise<string> {
  return new Promise((resolve) => {
    from.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1")));
  });
}

/** Reads the rest of an answer as text. */
export async function readText(response: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}
