import * as http from "node:http";
import type { Socket } from "node:net";
import { EscFault } from "../faults/fault.ts";
import { authority } from "../settings/network.ts";

/**
 * Has an HTTP proxy connect `link`, a connection to it, through to the target (CONNECT, RFC 9110, 9.3.6).
 *
 * @throws EscFault when the proxy refuses or breaks off
 */
export function openTunnel(
  link: Socket,
  proxy: URL,
  target: URL,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const request = http.request({
    method: "CONNECT",
    path: authority(target),
    headers: {
      Host: authority(target),
      ...(authorization === undefined ? {} : { "Proxy-Authorization": authorization }),
    },
    setHost: false,
    // Without an agent: one would make a connection of its own.
    createConnection: () => link,
  });
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      request.destroy();
    };
    const fail = (fault: EscFault): void => {
      signal.removeEventListener("abort", onAbort);
      link.destroy();
      reject(fault);
    };
    const refuse = (response: http.IncomingMessage): void =>
      fail(new EscFault({ kind: "proxy-refused", proxy: authority(proxy), status: response.statusCode ?? 0 }));
    request.once("connect", (response, socket: Socket, head) => {
      if (response.statusCode !== 200) return refuse(response);
      signal.removeEventListener("abort", onAbort);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once("response", refuse);
    request.on("error", (error: NodeJS.ErrnoException) =>
      fail(
        new EscFault(
          error.code?.startsWith("HPE_") === true
            ? { kind: "not-http", host: authority(proxy) }
            : { kind: "cut", host: authority(proxy), code: error.code ?? "UNKNOWN" },
        ),
      ),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    request.end();
  });
}
