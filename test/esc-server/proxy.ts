/**
 * An HTTP proxy for the tests, which leads hosts to servers of this machine and records its requests. The caller of
 * `startProxy` closes it.
 */
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";

/** A host and a port to connect to. */
interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ProxyOptions {
  /** Demands this by Basic authentication; without it a request gets 407. */
  readonly auth?: { readonly user: string; readonly password: string };
  /**
   * The real target of `host:port`. Clients never send loopback through a proxy, so tests ask for a name such as
   * `backend.test:443`, which no name server knows: that it works shows that the proxy was used.
   */
  readonly routes?: Readonly<Record<string, Endpoint>>;
}

/** One request that reached the proxy. */
interface ProxyRequest {
  readonly kind: "tunnel" | "forward";
  /** `host:port` of a tunnel, the URL of a forwarded request. */
  readonly target: string;
  /** The proxy's answer; 200 for an open tunnel, the server's status for a forwarded request. */
  readonly status: number;
  /** True if the proxy saw an `Authorization` header. */
  readonly sawAuthorization: boolean;
}

export interface Proxy {
  /** For `HTTPS_PROXY`, with user and password if it demands them. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ProxyRequest[];
  /** Tunnels opened. */
  readonly tunnels: number;
  /** Plain requests passed on. */
  readonly forwards: number;
  /** Answers every request with this status; `hang`: with nothing. */
  fault: number | "hang" | undefined;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a proxy on loopback that opens tunnels (CONNECT) and forwards plain requests in absolute form. */
export async function startProxy(options: ProxyOptions = {}): Promise<Proxy> {
  const requests: ProxyRequest[] = [];
  const sockets = new Set<net.Socket>();
  const server = http.createServer();
  let fault: Proxy["fault"];

  server.on("connection", track);
  server.on("connect", (request: http.IncomingMessage, client: net.Socket, head: Buffer) => {
    const target = request.url ?? "";
    const refusal = refuse(request, options.auth, fault);
    const record = (status: number): void => void requests.push(createLogEntry("tunnel", target, status, request));
    client.on("error", () => client.destroy());
    if (refusal === "hang") return record(0);
    const endpoint = endpointOf(target, options.routes, 443);
    if (refusal !== undefined || endpoint === undefined) {
      const status = refusal ?? 400;
      record(status);
      client.end(
        `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ""}\r\n${challengeText(status)}Content-Length: 0\r\n\r\n`,
      );
      return;
    }
    const upstream = net.connect(endpoint);
    track(upstream);
    upstream.once("connect", () => {
      record(200);
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => {
      if (client.bytesWritten === 0) {
        record(502);
        client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
      } else client.destroy();
    });
    client.once("close", () => upstream.destroy());
  });
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    const refusal = refuse(request, options.auth, fault);
    const target = request.url ?? "";
    const record = (status: number): void => void requests.push(createLogEntry("forward", target, status, request));
    if (refusal === "hang") return record(0);
    const url = URL.canParse(target) ? new URL(target) : undefined;
    const endpoint = url?.protocol === "http:" ? endpointOf(url.host, options.routes, 80) : undefined;
    if (refusal !== undefined || url === undefined || endpoint === undefined) {
      const status = refusal ?? 400;
      record(status);
      response.writeHead(status, status === 407 ? { "Proxy-Authenticate": 'Basic realm="proxy"' } : {}).end();
      return;
    }
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)));
    const { method = "GET" } = request;
    const upstream = http.request({ ...endpoint, method, path: url.pathname + url.search, headers }, (answer) => {
      record(answer.statusCode ?? 0);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    upstream.on("error", () => {
      if (response.headersSent) return response.destroy();
      record(502);
      return response.writeHead(502).end();
    });
    request.pipe(upstream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy does not listen on a port");
  const { port } = address;
  const user =
    options.auth === undefined
      ? ""
      : `${encodeURIComponent(options.auth.user)}:${encodeURIComponent(options.auth.password)}@`;

  return {
    url: `http://${user}127.0.0.1:${port}`,
    port,
    requests,
    get tunnels() {
      return requests.filter(({ kind, status }) => kind === "tunnel" && status === 200).length;
    },
    get forwards() {
      return requests.filter(({ kind, status }) => kind === "forward" && status !== 407).length;
    },
    get fault() {
      return fault;
    },
    set fault(value) {
      fault = value;
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  function track(socket: net.Socket): void {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  }

  async function close(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function refuse(
  request: http.IncomingMessage,
  auth: ProxyOptions["auth"],
  fault: Proxy["fault"],
): number | "hang" | undefined {
  if (fault !== undefined) return fault;
  if (auth === undefined) return undefined;
  const expected = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`;
  return request.headers["proxy-authorization"] === expected ? undefined : 407;
}

function challengeText(status: number): string {
  return status === 407 ? 'Proxy-Authenticate: Basic realm="proxy"\r\n' : "";
}

function endpointOf(target: string, routes: ProxyOptions["routes"], defaultPort: number): Endpoint | undefined {
  const match = /^(\[[\da-f:]+\]|[^:/]+)(?::(\d+))?$/i.exec(target);
  const [, name = "", port = String(defaultPort)] = match ?? [];
  if (name === "") return undefined;
  return routes?.[`${name}:${port}`] ?? { host: name.replaceAll(/^\[|\]$/g, ""), port: Number(port) };
}

function createLogEntry(
  kind: ProxyRequest["kind"],
  target: string,
  status: number,
  request: http.IncomingMessage,
): ProxyRequest {
  return { kind, target, status, sawAuthorization: request.headers.authorization !== undefined };
}
