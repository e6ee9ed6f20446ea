import { isUtf8 } from "node:buffer";
import * as http from "node:http";
import { systemErrorCode } from "../system/errors.ts";
import { Connector } from "./agent.ts";
import { NetworkError, type NetworkFault } from "./network-fault.ts";
import { afterTime, type Step, TimeLimit } from "./limit.ts";
import { authority, bareHost, type NetworkSettings, portOf } from "./network-settings.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly data: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data?: string | undefined;
  /** Returns true for a status after which no body is read. */
  readonly isEnough?: (status: number) => boolean;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_CONNECTIONS = 6;

/**
 * An HTTP client for one origin; connecting begins at once. It follows no redirect, so that no other host gets a token. It
 * refuses compressed bodies and those above 16 MiB, and ends by the limit whatever the server does.
 */
export class HttpClient {
  readonly #origin: URL;
  readonly #connector: Connector;
  readonly #limit: TimeLimit;
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(origin: URL, network: NetworkSettings, limit: TimeLimit, remark: (text: string) => void) {
    this.#origin = origin;
    this.#limit = limit;
    this.#connector = new Connector(origin, network, limit, remark);
    this.#connector.connectEarly();
  }

  close(): void {
    this.#connector.destroy();
  }

  /** @throws NetworkError if there is no complete answer of any status */
  async request(config: HttpRequest): Promise<HttpAnswer> {
    // Replaces the agent's `maxSockets`, which does not count connections that are still being made.
    if (this.#active < MAX_CONNECTIONS) this.#active += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#send(config);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#active -= 1;
      else next();
    }
  }

  async #send({ url: target, method, headers, data, isEnough }: HttpRequest): Promise<HttpAnswer> {
    const url = new URL(target);
    if (url.origin !== this.#origin.origin) throw new TypeError("a request for another origin");
    const proxy = await this.#connector.proxyOfRequests();
    const authorization = proxy === undefined ? undefined : (await import("./proxy.ts")).authorizationFor(proxy);
    const path = url.pathname + url.search;
    const request = http.request({
      agent: this.#connector,
      signal: this.#limit.signal,
      method,
      host: bareHost(url),
      port: portOf(url),
      path: proxy === undefined ? path : url.origin + path,
      setHost: false,
    });
    // Not as an option of the request: Node.js prints options under NODE_DEBUG=http, which is meant for the program.
    const allHeaders = {
      ...headers,
      Host: url.host,
      "Accept-Encoding": "identity",
      ...(authorization === undefined ? {} : { "Proxy-Authorization": authorization }),
      ...(data === undefined ? {} : { "Content-Length": Buffer.byteLength(data) }),
    };
    for (const [name, value] of Object.entries(allHeaders)) request.setHeader(name, value);
    return this.#exchange(request, data, method === "GET" || method === "HEAD", isEnough);
  }

  async #exchange(
    request: http.ClientRequest,
    body: string | undefined,
    onlyReads: boolean,
    isEnough: (status: number) => boolean = () => false,
  ): Promise<HttpAnswer> {
    const { signal } = this.#limit;
    const host = authority(this.#origin);
    let phase = `connecting to ${host}`;
    const waiting: { step?: Step } = {};
    let isNotHttp = false;
    try {
      // An answer whose body breaks the rules of HTTP reports nothing but a closed connection; the request has the reason.
      request.on("error", (error) => {
        isNotHttp ||= isNoHttp(error);
      });
      request.once("finish", () => {
        phase = `waiting for the answer of ${host}`;
        // Opening is slow: the service asks other providers.
        if (!onlyReads) return;
        waiting.step = this.#limit.step();
        waiting.step.signal.addEventListener("abort", () => request.destroy());
      });
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        request.once("response", resolve).on("error", reject);
        // No request asks for another protocol. Without a listener Node closes the connection and reports no error.
        request.once("upgrade", (answer, socket) => {
          socket.destroy();
          resolve(answer);
        });
        // A request must not end without an answer or an error; after one of them this has no effect.
        request.once("close", () => reject(new NetworkError({ kind: "cut", host, code: "CLOSED" })));
        request.end(body);
      });
      waiting.step?.done();
      phase = `receiving the answer of ${host}`;
      const { statusCode: status = 0, headers } = response;
      if (status === 101 || isEnough(status)) {
        response.on("error", () => {});
        request.destroy();
        return { status, headers, data: "" };
      }
      return await receive(response, host);
    } catch (error) {
      request.destroy();
      if (signal.aborted) throw new NetworkError({ kind: "timeout", timeoutMs: this.#limit.ms, phase });
      const slow = waiting.step?.fault(phase, false);
      if (slow !== undefined || error instanceof NetworkError || !(error instanceof Error)) throw slow ?? error;
      if (isNotHttp || isNoHttp(error)) throw new NetworkError({ kind: "not-http", host });
      throw new NetworkError({ kind: "cut", host, code: systemErrorCode(error) ?? "UNKNOWN" });
    } finally {
      waiting.step?.done();
    }
  }
}

function isNoHttp(error: Error): boolean {
  const code = systemErrorCode(error) ?? "";
  return code.startsWith("HPE_") || code === "ERR_INVALID_CHAR";
}

function receive(response: http.IncomingMessage, host: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => reject(new NetworkError({ kind: "too-large", host, limit: MAX_BODY_BYTES }));
    if (Number(response.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return tooLarge();
    const chunks: Buffer[] = [];
    let length = 0;
    response.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) tooLarge();
      else chunks.push(chunk);
    });
    response.once("error", reject);
    response.once("end", () => {
      const bytes = Buffer.concat(chunks);
      const encoding = response.headers["content-encoding"] ?? "";
      // Decoding would silently put U+FFFD into a secret.
      if (!/^(?:identity)?$/i.test(encoding) || !isUtf8(bytes)) {
        return reject(new NetworkError({ kind: "answer", host, problem: "encoding" }));
      }
      resolve({ status: response.statusCode ?? 0, headers: response.headers, data: bytes.toString("utf8") });
    });
  });
}

/** Sends one request by its own client within the limit. @returns the reason why there is no complete answer, if so */
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
