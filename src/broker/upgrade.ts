/** WebSockets: the handshake is admitted like any request; what follows it is passed on in both directions, unseen. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Admitted } from "./admit.ts";
import { headFor, isFinal, noAnswer, type Passing } from "./answers.ts";
import { isRotated } from "./forward.ts";
import { failureOf, maySendAgain, requestOf } from "./service.ts";

/** @param head what the client has sent behind its handshake */
export function upgrade(
  admitted: Admitted,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  passing: Passing,
): void {
  const { services, exchange, broker } = passing;
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
      socket.write(headOf(answer, key, own), "latin1");
      if (first.length > 0) socket.write(first);
      if (head.length > 0) other.write(head);
      join(socket, other);
    });
    sent.once("response", (answer) => {
      isAnswered = true;
      if (isFinal(answer)) return void refused(answer, key);
      exchange.refuse(noAnswer(admitted));
      sent.destroy();
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
    socket.write(headOf(answer, key, [...retry, "Connection", "close"]), "latin1");
    socket.resume();
    answer.pipe(socket);
  }

  function headOf(answer: IncomingMessage, key: string, own: readonly string[]): string {
    const { reason, headers } = headFor(answer, admitted, broker, passing.replaced(admitted, key));
    const all = [...headers, ...own];
    const lines = all.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ""}`] : []));
    return [`HTTP/1.1 ${answer.statusCode ?? 502} ${reason}`, ...lines, "", ""].join("\r\n");
  }
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
