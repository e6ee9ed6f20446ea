/** WebSockets: the handshake is admitted like any request; what follows it is passed on in both directions, unseen. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Admitted } from "./admit.ts";
import type { Exchange } from "./exchange.ts";
import { isRotated } from "./forward.ts";
import { forClient } from "./headers.ts";
import { failureOf, maySendAgain, requestOf, type Services } from "./service.ts";

/** @param head what the client has sent behind its handshake */
export function upgrade(
  admitted: Admitted,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  { services, exchange, broker }: { readonly services: Services; readonly exchange: Exchange; readonly broker: string },
): void {
  const added = { connection: "Upgrade", upgrade: "websocket" };
  let upstream = begin();
  socket.once("close", () => {
    upstream.destroy();
    exchange.left();
  });

  function begin(): ClientRequest {
    const { request: sent, key } = requestOf(admitted, "GET", request.rawHeaders, { services, added });
    let isAnswered = false;
    sent.on("error", (error) => {
      if (isAnswered || socket.writableEnded || socket.destroyed) return;
      if (maySendAgain(sent, error, "none")) upstream = begin();
      else exchange.refuse(failureOf(error, admitted));
    });
    sent.once("upgrade", (answer, other, first) => {
      exchange.answered(answer);
      if (socket.destroyed) return void other.destroy();
      const own = ["Connection", "Upgrade", "Upgrade", "websocket"];
      socket.write(headOf(answer, [...forClient(answer.rawHeaders, admitted, key, broker), ...own]));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) other.write(head);
      join(socket, other);
    });
    sent.once("response", (answer) => {
      isAnswered = true;
      void refused(answer, key);
    });
    sent.end();
    return sent;
  }

  /** The service refuses the handshake. What the client has sent behind it is no request, and is dropped. */
  async function refused(answer: IncomingMessage, key: string): Promise<void> {
    answer.on("error", () => socket.destroy());
    const shouldRetry = answer.statusCode === 401 && (await isRotated(admitted, key, services));
    exchange.answered(answer);
    if (socket.destroyed) return;
    const retry = shouldRetry ? ["x-should-retry", "true"] : [];
    const headers = [...forClient(answer.rawHeaders, admitted, key, broker), ...retry, "Connection", "close"];
    socket.write(headOf(answer, headers));
    socket.resume();
    answer.pipe(socket);
  }
}

function headOf({ statusCode = 502, statusMessage = "" }: IncomingMessage, headers: readonly string[]): string {
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ""}`] : []));
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, "", ""].join("\r\n");
}

/** Passes bytes on in both directions; each end and each failure on one side is one on the other side. */
function join(client: Duplex, service: Duplex): void {
  for (const [from, to] of [
    [client, service],
    [service, client],
  ] as const) {
    from.on("error", () => to.destroy());
    from.once("close", () => to.destroy());
    from.pipe(to);
  }
}
