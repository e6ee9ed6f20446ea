/** The parts of node:http that the bundle uses. */
import { Agent } from "./http/agent.ts";
import { ClientRequest, type RequestOptions } from "./http/client.ts";
import type { IncomingMessage } from "./http/incoming.ts";
import { type RequestListener, Server, type ServerOptions } from "./http/server.ts";

export { IncomingMessage } from "./http/incoming.ts";
export { OutgoingMessage } from "./http/outgoing.ts";
export { ServerResponse, STATUS_CODES } from "./http/response.ts";
export { Agent, ClientRequest, Server };

const globalAgent = new Agent({ keepAlive: true, timeout: 5000 });

type OnResponse = (response: IncomingMessage) => void;

/** Takes (options), (URL) or (URL, options), and a listener for 'response'. */
export function request(
  target: string | URL | RequestOptions,
  options?: RequestOptions | OnResponse,
  callback?: OnResponse,
): ClientRequest {
  const its = typeof options === "function" ? options : callback;
  const isUrl = typeof target === "string" || target instanceof URL;
  const first = isUrl ? optionsOf(new URL(target)) : target;
  return new ClientRequest(typeof options === "object" ? { ...first, ...options } : first, globalAgent, its);
}

export function get(...given: Parameters<typeof request>): ClientRequest {
  return request(...given).end();
}

function optionsOf(url: URL): RequestOptions {
  const { protocol, hostname, pathname, search, port, username, password } = url;
  return {
    protocol,
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    path: `${pathname}${search}`,
    ...(port === "" ? {} : { port: Number(port) }),
    ...(username === "" ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
  };
}

export function createServer(options?: ServerOptions | RequestListener, listener?: RequestListener): Server {
  return typeof options === "function" ? new Server({}, options) : new Server(options, listener);
}
