import { isUtf8 } from "node:buffer";
import * as http from "node:http";
import { Duplex } from "node:stream";
import { Connector } from "./connect.ts";
import type { Deadline } from "./deadline.ts";
import { EscFault } from "../faults/fault.ts";
import { authority, bareHost, type NetworkSettings, portOf } from "../settings/network.ts";

/** A complete answer of any status, its body as text. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly data: string;
}

/** What the ESC SDK passes to the `request` of its HTTP client. */
export interface HttpRequest {
  readonly url?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

/** Answers of the service are far smaller. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** For environments that are opened side by side. A single one needs no second connection. */
const MAX_CONNECTIONS = 6;

/**
 * A slim HTTP client for one origin, with as much of the interface of axios as the ESC SDK uses (`request` and
 * `defaults.baseURL`). Connections are kept alive and reused. It follows no redirect, so that the token goes nowhere else;
 * takes no compressed body; takes 16 MiB at most; and ends by the deadline whatever the server does.
 */
export class HttpClient {
  readonly defaults: { readonly baseURL?: string } = {};
  readonly #origin: URL;
  readonly #agent: ConnectorAgent;
  readonly #connector: Connector;
  readonly #deadline: Deadline;
  /** Requests under way, and those that wait for their turn. */
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(origin: URL, network: NetworkSettings, deadline: Deadline, remark: (text: string) => void) {
    this.#origin = origin;
    this.#deadline = deadline;
    this.#connector = new Connector(origin, network, deadline.signal, remark);
    this.#agent = new ConnectorAgent(this.#connector);
  }

  /** Begins to connect before there is a request. */
  start(): void {
    this.#connector.start();
  }

  close(): void {
    this.#connector.close();
    this.#agent.destroy();
  }

  /** @throws EscFault when there is no complete answer; whatever the status, an answer is one */
  async request(config: HttpRequest): Promise<HttpAnswer> {
    await this.#enter();
    try {
      return await this.#send(config);
    } finally {
      this.#leave();
    }
  }

  /**
   * The agent's own `maxSockets` does not count connections that are still being made, and makes more of them. After an
   * abort those that wait come to their turn one by one, and fail.
   */
  async #enter(): Promise<void> {
    if (this.#active < MAX_CONNECTIONS) this.#active += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#active -= 1;
    else next();
  }

  #send(config: HttpRequest): Promise<HttpAnswer> {
    const url = new URL(config.url ?? "");
    if (url.origin !== this.#origin.origin) throw new TypeError("a request for another origin");
    const { absoluteForm } = this.#connector;
    const path = url.pathname + url.search;
    const body = typeof config.data === "string" ? config.data : undefined;
    const request = http.request({
      agent: this.#agent,
      method: config.method ?? "GET",
      host: bareHost(url),
      port: portOf(url),
      path: absoluteForm === undefined ? path : url.origin + path,
      setHost: false,
      headers: {
        ...textHeaders(config.headers),
        Host: url.host,
        "Accept-Encoding": "identity",
        ...(absoluteForm?.authorization === undefined ? {} : { "Proxy-Authorization": absoluteForm.authorization }),
        ...(body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) }),
      },
    });
    return this.#exchange(request, body);
  }

  async #exchange(request: http.ClientRequest, body: string | undefined): Promise<HttpAnswer> {
    const { signal } = this.#deadline;
    const host = authority(this.#origin);
    let phase = `connecting to ${host}`;
    const onAbort = (): void => void request.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      request.once("finish", () => (phase = `waiting for the answer of ${host}`));
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        request.once("response", resolve).on("error", reject);
        // Nobody asked for another protocol. Without a listener Node closes the connection and reports no error.
        request.once("upgrade", ({ statusCode: status = 101 }) =>
          reject(new EscFault({ kind: "status", host, status, diagnostics: [] })),
        );
        // After an answer or an error this changes nothing. A request must not end without either.
        request.once("close", () => reject(new EscFault({ kind: "cut", host, code: "CLOSED" })));
        if (signal.aborted) onAbort();
        else request.end(body);
      });
      phase = `receiving the answer of ${host}`;
      return await receive(response, host);
    } catch (error) {
      request.destroy();
      if (signal.aborted) throw this.#deadline.fault(phase);
      if (error instanceof EscFault || !(error instanceof Error)) throw error;
      throw new EscFault(requestFault(error, host));
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** An agent that takes its connections, ready for use, from a {@link Connector}. */
class ConnectorAgent extends http.Agent {
  readonly #connector: Connector;

  constructor(connector: Connector) {
    super({ keepAlive: true, scheduling: "lifo" });
    this.#connector = connector;
  }

  override createConnection(
    _: http.ClientRequestArgs,
    callback: (error: Error | null, stream: Duplex) => void = () => {},
  ): undefined {
    void this.#supply(callback);
  }

  async #supply(callback: (error: Error | null, stream: Duplex) => void): Promise<void> {
    let socket: Duplex;
    try {
      socket = await this.#connector.connect();
    } catch (error) {
      // With an error Node does not look at the stream; the type asks for one.
      callback(error instanceof Error ? error : new TypeError("no error"), new Duplex());
      return;
    }
    callback(null, socket);
  }
}

function receive(response: http.IncomingMessage, host: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => reject(new EscFault({ kind: "too-large", host, limit: MAX_BODY_BYTES }));
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
      const encoding = response.headers["content-encoding"] ?? "identity";
      // Decoding would put U+FFFD into a secret without a word.
      if (encoding.toLowerCase() !== "identity" || !isUtf8(bytes)) {
        return reject(new EscFault({ kind: "answer", host, problem: "encoding" }));
      }
      resolve({ status: response.statusCode ?? 0, headers: response.headers, data: bytes.toString("utf8") });
    });
  });
}

function requestFault(error: NodeJS.ErrnoException, host: string): EscFault["fault"] {
  const code = error.code ?? "UNKNOWN";
  if (code.startsWith("HPE_") || code === "ERR_INVALID_CHAR") return { kind: "not-http", host };
  return { kind: "cut", host, code };
}

function textHeaders(headers: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
