/** The parts of node:net that the bundle and node:http use. */
import type { ConnectOptions } from "./net/connect.ts";
import { Server, type ServerOptions } from "./net/server.ts";
import { Socket, type SocketOptions } from "./net/socket.ts";

export { BlockList, isIP, isIPv6 } from "./net/address.ts";
export { Server, Socket };

type Options = ConnectOptions & SocketOptions & { readonly timeout?: number | undefined };

/** Connects to (options), (port, host) or (path), with a callback for 'connect' as the last argument. */
export function connect(options: Options | number | string, ...more: unknown[]): Socket {
  const [host] = more;
  const callback = more.findLast((one) => typeof one === "function");
  const all: Options =
    typeof options === "object"
      ? options
      : typeof options === "number"
        ? { port: options, ...(typeof host === "string" ? { host } : {}) }
        : { path: options };
  const socket = new Socket(all);
  if (all.timeout !== undefined && all.timeout > 0) socket.setTimeout(all.timeout);
  return socket.connect(
    all,
    typeof callback === "function" ? () => void Reflect.apply(callback, socket, []) : undefined,
  );
}

export function createServer(
  options?: ServerOptions | ((socket: Socket) => void),
  listener?: (socket: Socket) => void,
): Server {
  return typeof options === "function" ? new Server({}, options) : new Server(options, listener);
}
