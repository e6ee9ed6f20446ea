/**
 * An HTTP client for one origin, with limits on time, size and connections. sophia-run reads ESC by it, and `check --live` tests
 * by it whether keys are valid.
 */
import { isUtf8 } from "node:buffer";
import * as http from "node:http";
import { systemErrorCode } from "../system/errors.ts";
import { Connector } from "./agent.ts";
import { NetworkError, type NetworkFault } from "./network-fault.ts";
import { afterTime, type Step, TimeLimit } from "./limit.ts";
import { hostAndPortOf, bareHost, type NetworkSettings, portOf } from "./network-settings.ts";

/** A complete response, which is called an answer in messages. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** The decoded body; empty if `skipsBody` of the request returned true. */
  readonly data: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data?: string | undefined;
  /** Returns true if the caller needs only this status. Then the body is not read, and the connection is closed. */
  readonly skipsBody?: (status: number) => boolean;
}

/** The limit on a body, because it is held in memory, which a faulty server must not exhaust. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** The limit on simultaneous connections to the origin. Further requests wait. */
const MAX_CONNECTIONS = 6;

/**
 * A client for one origin. The constructor begins to connect, and the caller must call `close`. The client follows no redirect, so
 * that no other host gets the token. It refuses compressed bodies and bodies above 16 MiB. Whatever the server does, each request
 * ends when the time limit passes.
 */
export class HttpClient {
  readonly #origin: URL;
  readonly #connector: Connector;
  readonly #limit: TimeLimit;
  #activeRequests = 0;
  /** Each function starts a request that waits because of {@link MAX_CONNECTIONS}. */
  readonly #waitingRequests: (() => void)[] = [];

  constructor(origin: URL, network: NetworkSettings, limit: TimeLimit, warn: (text: string) => void) {
    this.#origin = origin;
    this.#limit = limit;
    this.#connector = new Connector(origin, network, limit, warn);
    this.#connector.connectEarly();
  }

  /** Closes all connections. */
  close(): void {
    this.#connector.destroy();
  }

  /** Sends a request and reads its answer. @throws NetworkError if there is no complete answer of any status */
  async request(config: HttpRequest): Promise<HttpAnswer> {
    // `maxSockets` of Node's agent does not suffice, because it does not count connections that are still being opened.
    if (this.#activeRequests < MAX_CONNECTIONS) this.#activeRequests += 1;
    else await new Promise<void>((resolve) => this.#waitingRequests.push(resolve));
    try {
      return await this.#send(config);
    } finally {
      // The next request takes over this one's place, so that the number of active requests stays the same.
      const startNext = this.#waitingRequests.shift();
      if (startNext === undefined) this.#activeRequests -= 1;
      else startNext();
    }
  }

  async #send({ url: target, method, headers, data, skipsBody }: HttpRequest): Promise<HttpAnswer> {
    const url = new URL(target);
    if (url.origin !== this.#origin.origin) throw new TypeError("the URL has another origin than the client");
    const proxy = await this.#connector.proxyOfRequests();
    const authorization =
      proxy === undefined ? undefined : (await import("./proxy.ts")).createProxyAuthorization(proxy);
    const path = url.pathname + url.search;
    const request = http.request({
      agent: this.#connector,
      signal: this.#limit.signal,
      method,
      host: bareHost(url),
      port: portOf(url),
      path: proxy === undefined ? path : url.origin + path,
      // The header Host is set below.
      setHost: false,
    });
    // `http.request` does not get the headers as an option: under NODE_DEBUG=http, which the user sets for the program, Node.js
    // would print the options, and with them the token.
    const allHeaders = {
      ...headers,
      Host: url.host,
      "Accept-Encoding": "identity",
      ...(authorization === undefined ? {} : { "Proxy-Authorization": authorization }),
      ...(data === undefined ? {} : { "Content-Length": Buffer.byteLength(data) }),
    };
    for (const [name, value] of Object.entries(allHeaders)) request.setHeader(name, value);
    const isReading = method === "GET" || method === "HEAD";
    return this.#exchange(request, { body: data, isReading, skipsBody });
  }

  /**
   * Sends a request whose headers are set, and reads the answer.
   *
   * @param options `isReading` is true if the server changes nothing, so that it should answer soon @throws NetworkError
   */
  async #exchange(
    request: http.ClientRequest,
    {
      body,
      isReading,
      skipsBody = () => false,
    }: {
      readonly body: string | undefined;
      readonly isReading: boolean;
      readonly skipsBody: HttpRequest["skipsBody"];
    },
  ): Promise<HttpAnswer> {
    const host = hostAndPortOf(this.#origin);
    const state: ExchangeState = { phase: `connecting to ${host}`, firstByteStep: undefined, hasParserError: false };
    try {
      this.#trackSending(request, state, isReading);
      const response = await sendAndWait(request, body, host);
      state.firstByteStep?.done();
      state.phase = `receiving the answer of ${host}`;
      const { statusCode: status = 0, headers } = response;
      // 101: the server has switched to another protocol, so no body follows.
      if (status === 101 || skipsBody(status)) {
        // Destroying the request makes the response emit 'error', which would end the process without a listener.
        response.on("error", () => {});
        request.destroy();
        return { status, headers, data: "" };
      }
      return await readBody(response, host);
    } catch (error) {
      request.destroy();
      throw this.#errorOf(error, state);
    } finally {
      state.firstByteStep?.done();
    }
  }

  /** Adds the listeners that record in `state` how far the request is, and that limit the wait for the first byte. */
  #trackSending(request: http.ClientRequest, state: ExchangeState, isReading: boolean): void {
    // If the body of an answer breaks the rules of HTTP, the response reports only a closed connection. The request's error
    // has the reason.
    request.on("error", (error) => {
      state.hasParserError ||= isParserError(error);
    });
    request.once("finish", () => {
      state.phase = `waiting for the answer of ${hostAndPortOf(this.#origin)}`;
      // Other requests have no limit of their own: opening an environment is slow, since ESC asks other providers.
      if (!isReading) return;
      const step = this.#limit.step();
      state.firstByteStep = step;
      step.signal.addEventListener("abort", () => request.destroy());
    });
  }

  /** Returns the error to throw for a request that has failed: a `NetworkError`, unless the error is a bug. */
  #errorOf(error: unknown, { phase, firstByteStep, hasParserError }: ExchangeState): unknown {
    if (this.#limit.signal.aborted) return new NetworkError({ kind: "timeout", timeoutMs: this.#limit.ms, phase });
    const slowError = firstByteStep?.fault(phase, false);
    if (slowError !== undefined) return slowError;
    // A NetworkError of the connector already has its fault. Anything that is not an Error is a bug.
    if (error instanceof NetworkError || !(error instanceof Error)) return error;
    const host = hostAndPortOf(this.#origin);
    if (hasParserError || isParserError(error)) return new NetworkError({ kind: "not-http", host });
    return new NetworkError({ kind: "cut", host, code: systemErrorCode(error) ?? "UNKNOWN" });
  }
}

/** The progress of one request, which its listeners change. */
interface ExchangeState {
  /** The present step of the request, for messages. */
  phase: string;
  /** The time limit for the first byte of the answer, once the request is sent. */
  firstByteStep: Step | undefined;
  /** True if Node's parser has refused a part of the answer. */
  hasParserError: boolean;
}

/** Sends the body and waits for the head of the answer. */
function sendAndWait(
  request: http.ClientRequest,
  body: string | undefined,
  host: string,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve).on("error", reject);
    // No request asks for another protocol. Without a listener Node.js closes the connection and reports no error.
    request.once("upgrade", (answer, socket) => {
      socket.destroy();
      resolve(answer);
    });
    // A request must not end without an answer or an error. After one of them, this rejection has no effect.
    request.once("close", () => reject(new NetworkError({ kind: "cut", host, code: "CLOSED" })));
    request.end(body);
  });
}

/** Returns true for the errors of Node's HTTP parser. */
function isParserError(error: Error): boolean {
  const code = systemErrorCode(error) ?? "";
  return code.startsWith("HPE_") || code === "ERR_INVALID_CHAR";
}

/** Reads the whole body. @throws NetworkError (by rejection) for a body that is too large, compressed or not UTF-8 */
function readBody(response: http.IncomingMessage, host: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const rejectAsTooLarge = (): void => reject(new NetworkError({ kind: "too-large", host, limit: MAX_BODY_BYTES }));
    if (Number(response.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return rejectAsTooLarge();
    const chunks: Buffer[] = [];
    let length = 0;
    response.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) rejectAsTooLarge();
      else chunks.push(chunk);
    });
    response.once("error", reject);
    response.once("end", () => {
      const bytes = Buffer.concat(chunks);
      const encoding = response.headers["content-encoding"] ?? "";
      // Decoding compressed bytes, or bytes that are not UTF-8, would silently put U+FFFD into a secret.
      if (!/^(?:identity)?$/i.test(encoding) || !isUtf8(bytes)) {
        return reject(new NetworkError({ kind: "answer", host, problem: "encoding" }));
      }
      resolve({ status: response.statusCode ?? 0, headers: response.headers, data: bytes.toString("utf8") });
    });
  });
}

/** Sends one request by a client of its own. @returns the answer, or the reason why there is no complete answer */
export async function requestOnce(
  request: HttpRequest,
  network: NetworkSettings,
  limitMs: number,
): Promise<HttpAnswer | NetworkFault> {
  const limit = new TimeLimit(limitMs, { limit: afterTime, stepMs: limitMs });
  const client = new HttpClient(new URL(request.url), network, limit, () => {});
  try {
    return await client.request(request);
  } catch (error) {
    if (error instanceof NetworkError) return error.fault;
    throw error;
  } finally {
    client.close();
    limit.abandon();
  }
}
