/**
 * The module node:net, as far as node:http and the bundle use it. The bundle is the JavaScript of sophia-run, which this runtime
 * executes. The classes are in the folder net/.
 */
import type { ConnectOptions } from "./net/connect.ts";
import { Server, type ServerOptions } from "./net/server.ts";
import { Socket, type SocketOptions } from "./net/socket.ts";

export { BlockList, isIP, isIPv6 } from "./net/address.ts";
export { Server, Socket };

type Options = ConnectOptions & SocketOptions & { readonly timeout?: number | undefined };

/** Takes (options), (port, host) or (path), and a listener for 'connect' as the last argument. */
export function connect(target: Options | number | string, ...furtherArguments: unknown[]): Socket {
  const listener = furtherArguments.findLast((value) => typeof value === "function");
  const options = parseTarget(target, furtherArguments[0]);
  const socket = new Socket(options);
  if (options.timeout !== undefined && options.timeout > 0) socket.setTimeout(options.timeout);
  return socket.connect(
    options,
    typeof listener === "function" ? () => void Reflect.apply(listener, socket, []) : undefined,
  );
}

/** @param host the second argument of `connect`, which may also be the listener or missing */
function parseTarget(target: Options | number | string, host: unknown): Options {
  if (typeof target === "object") return target;
  if (typeof target === "string") return { path: target };
  return { port: target, ...(typeof host === "string" ? { host } : {}) };
}

export function createServer(
  options?: ServerOptions | ((socket: Socket) => void),
  listener?: (socket: Socket) => void,
): Server {
  return typeof options === "function" ? new Server({}, options) : new Server(options, listener);
}
