/**
 * The module node:http, as far as the bundle uses it. The bundle is the JavaScript of sophia-run, which this runtime executes. The
 * classes are in the folder http/.
 */
import { Agent } from "./http/agent.ts";
import { ClientRequest, type RequestOptions } from "./http/client.ts";
import type { IncomingMessage } from "./http/incoming.ts";
import { type RequestListener, Server, type ServerOptions } from "./http/server.ts";

export { IncomingMessage } from "./http/incoming.ts";
export { OutgoingMessage } from "./http/outgoing.ts";
export { ServerResponse, STATUS_CODES } from "./http/response.ts";
export { Agent, ClientRequest, Server };

/** The agent of all requests whose options have neither an agent nor `createConnection`. Its options are those of Node.js. */
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
  const targetOptions = isUrl ? urlToOptions(new URL(target)) : target;
  const requestOptions = typeof options === "object" ? { ...targetOptions, ...options } : targetOptions;
  return new ClientRequest(requestOptions, globalAgent, listener);
}

export function get(...requestArguments: Parameters<typeof request>): ClientRequest {
  return request(...requestArguments).end();
}

function urlToOptions(url: URL): RequestOptions {
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
