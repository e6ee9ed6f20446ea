/** WebSockets: the handshake is admitted like any request; what follows it is passed on in both directions, unseen. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Admitted } from "./admit.ts";
import { headFor, isFinal, noAnswer, type Passing } from "./answers.ts";
import { isRotated, retried } from "./forward-request.ts";
import { headOf, without } from "./fields.ts";
import { endGently } from "./refuse.ts";
import { failureOf, maySendAgain, requestOf } from "./service.ts";

/** Returns true if `Upgrade` names WebSocket, perhaps among others. */
export function isForWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? "").split(",").some((protocol) => /^\s*websocket\s*(?:\/|$)/i.test(protocol));
}

/**
 * Returns the head of a request as it was, without the `Upgrade` that a server may ignore (RFC 9110, 7.8). Java's own client
 * sends `h2c` with the first request to each server without TLS.
 */
export function requestWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  return Buffer.from(headOf(`${method} ${url} HTTP/${httpVersion}`, without(rawHeaders, "upgrade")), "latin1");
}

/** @param head what the client has sent behind its handshake */
export function upgrade(
  admitted: Admitted,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  passing: Passing,
): void {
  const { services, exchange } = passing;
  const added = { connection: "Upgrade", upgrade: "websocket" };
  const stopNoticing = noticeEnd(socket, () => socket.destroy());
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
      if (maySendAgain(sent, error, "none")) {
        upstream = begin();
        return;
      }
      stopNoticing();
      exchange.refuse(failureOf(error, admitted));
    });
    sent.once("upgrade", (answer, service, first) => {
      stopNoticing();
      const answered = answerHead(answer, key, ["Connection", "Upgrade", "Upgrade", "websocket"]);
      if (socket.destroyed) return void service.destroy();
      socket.write(answered, "latin1");
      if (first.length > 0) socket.write(first);
      if (head.length > 0) service.write(head);
      join(socket, service);
    });
    sent.once("response", (answer) => {
      isAnswered = true;
      if (isFinal(answer)) return void refused(answer, key);
      stopNoticing();
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
    const answered = answerHead(answer, key, ["Connection", "close"], shouldRetry);
    if (socket.destroyed) return;
    stopNoticing();
    socket.write(answered, "latin1");
    socket.resume();
    answer.pipe(socket);
  }

  /** Returns the head of an answer, and records it. */
  function answerHead(answer: IncomingMessage, key: string, own: readonly string[], shouldRetry = false): string {
    const { reason, headers } = headFor(answer, admitted, passing.replaced(admitted, key));
    exchange.answered(answer.statusCode, headers);
    const passed = shouldRetry ? retried(headers) : headers;
    return headOf(`HTTP/1.1 ${answer.statusCode ?? 502} ${reason}`, [...passed, ...own]);
  }
}

/**
 * Acts if the client ends its side while the service has not answered. Only a connection that is read shows that; bytes
 * that come too early for that stay in it.
 *
 * @returns a function that stops waiting for it
 */
function noticeEnd(client: Duplex, act: () => void): () => void {
  const look = (): void => {
    if (client.readableLength === 0) client.read();
  };
  client.on("readable", look).once("end", act);
  return () => void client.off("readable", look).off("end", act);
}

/** Passes bytes on in both directions; each end and each failure on one side is one on the other side. */
function join(client: Duplex, service: Duplex): void {
  for (const [from, to] of [
    [client, service],
    [service, client],
  ] as const) {
    from.on("error", () => to.destroy());
    from.pipe(to);
    // Behind the listener of `pipe`. The last bytes of a side that has ended may wait for a slow reader.
    from.once("close", () => (from.readableEnded ? endGently(to) : to.destroy()));
  }
}
