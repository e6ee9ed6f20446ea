/** The parts of node:http that the bundle uses. The folder http/ has the rest of the module. */
import { Agent } from "./http/agent.ts";
import { ClientRequest, type RequestOptions } from "./http/client.ts";
import type { IncomingMessage } from "./http/incoming.ts";
import { type RequestListener, Server, type ServerOptions } from "./http/server.ts";

export { IncomingMessage } from "./http/incoming.ts";
export { OutgoingMessage } from "./http/outgoing.ts";
export { ServerResponse, STATUS_CODES } from "./http/response.ts";
export { Agent, ClientRequest, Server };

const globalAgent = new Agent({ keepAlive: true, timeout: 5000 });

type ResponseListener = (response: IncomingMessage) => void;

/** Takes (options), (URL) or (URL, options), and a listener for 'response' as the last argument. */
export function request(
  target: string | URL | RequestOptions,
  options?: RequestOptions | ResponseListener,
  callback?: ResponseListener,
): ClientRequest {
  const listener = typeof options === "function" ? options : callback;
  const isUrl = typeof target === "string" || target instanceof URL;
  const targetOptions = isUrl ? optionsOf(new URL(target)) : target;
  const requestOptions = typeof options === "object" ? { ...targetOptions, ...options } : targetOptions;
  return new ClientRequest(requestOptions, globalAgent, listener);
}

export function get(...values: Parameters<typeof request>): ClientRequest {
  return request(...values).end();
}

function optionsOf(url: URL): RequestOptions {
  const { protocol, hostname, pathname, search, port, username, password } = url;
  return {
    protocol,
    // A socket takes an IPv6 address without the brackets of a URL.
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    path: `${pathname}${search}`,
    ...(port === "" ? {} : { port: Number(port) }),
    ...(username === "" ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
  };
}

export function createServer(options?: ServerOptions | RequestListener, listener?: RequestListener): Server {
  return typeof options === "function" ? new Server({}, options) : new Server(options, listener);
}
