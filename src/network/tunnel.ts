import * as http from "node:http";
import type { Socket } from "node:net";
import { systemErrorCode } from "../system/errors.ts";
import { NetworkError, type NetworkFault } from "./fault.ts";
import { authority } from "./settings.ts";

/** Connects `link` to the target through an HTTP proxy (CONNECT, RFC 9110, 9.3.6). @throws NetworkError */
export function openTunnel(link: Socket, proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  const request = http.request({
    method: "CONNECT",
    path: authority(target),
    setHost: false,
    signal,
    // An agent would make its own connection.
    createConnection: () => link,
  });
  // Not as an option of the request: Node.js prints options under NODE_DEBUG=http.
  request.setHeader("Host", authority(target));
  const authorization = authorizationFor(proxy);
  if (authorization !== undefined) request.setHeader("Proxy-Authorization", authorization);
  return new Promise((resolve, reject) => {
    const host = authority(proxy);
    const fail = (fault: NetworkFault): void => {
      link.destroy();
      reject(new NetworkError(fault));
    };
    const refuse = (response: http.IncomingMessage): void =>
      fail({ kind: "proxy-refused", proxy: host, status: response.statusCode ?? 0 });
    request.once("connect", (response, socket: Socket, head) => {
      if (response.statusCode !== 200) return refuse(response);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once("response", refuse);
    request.on("error", (error) => {
      const code = systemErrorCode(error) ?? "UNKNOWN";
      fail(code.startsWith("HPE_") ? { kind: "not-http", host } : { kind: "cut", host, code });
    });
    request.end();
  });
}

/** Returns the value of `Proxy-Authorization` for the user and password of a proxy's URL. */
export function authorizationFor(proxy: URL): string | undefined {
  if (proxy.username === "" && proxy.password === "") return undefined;
  const pair = `${decode(proxy.username)}:${decode(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
