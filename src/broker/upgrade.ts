/**
 * Passes WebSockets on. The handshake is admitted like any request, with the key in place of the dummy; the frames that follow it
 * are passed on in both directions without being read.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Admitted } from "./admit.ts";
import { headFor, isFinal, noAnswer, type Passing } from "./answers.ts";
import { isRotated, withRetryHeader } from "./forward-request.ts";
import { headOf, without } from "./fields.ts";
import { endGently } from "./refuse.ts";
import { failureOf, maySendAgain, requestOf } from "./service.ts";

/** Returns true if `Upgrade` names WebSocket, perhaps among other protocols. */
export function isForWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? "").split(",").some((protocol) => /^\s*websocket\s*(?:\/|$)/i.test(protocol));
}

/**
 * Returns the head of a request without its `Upgrade`, which a server may ignore (RFC 9110, 7.8). Java's `HttpClient` asks for
 * `h2c` with the first request to each server without TLS.
 */
export function requestWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  return Buffer.from(headOf(`${method} ${url} HTTP/${httpVersion}`, without(rawHeaders, "upgrade")), "latin1");
}

/** Passes an admitted handshake on, and then the frames. @param head the bytes that the client sent behind its handshake */
export function upgrade(
  admitted: Admitted,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  passing: Passing,
): void {
  const { services, exchange } = passing;
  const added = { connection: "Upgrade", upgrade: "websocket" };
  const stopWatching = watchEnd(socket, () => socket.destroy());
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
      stopWatching();
      exchange.refuse(failureOf(error, admitted));
    });
    sent.once("upgrade", (answer, service, firstBytes) => {
      stopWatching();
      const handshake = recordHead(answer, key, ["Connection", "Upgrade", "Upgrade", "websocket"]);
      if (socket.destroyed) return void service.destroy();
      socket.write(handshake, "latin1");
      if (firstBytes.length > 0) socket.write(firstBytes);
      if (head.length > 0) service.write(head);
      joinSockets(socket, service);
    });
    sent.once("response", (answer) => {
      isAnswered = true;
      if (isFinal(answer)) return void passRefusal(answer, key);
      stopWatching();
      exchange.refuse(noAnswer(admitted));
      sent.destroy();
    });
    sent.end();
    return sent;
  }

  /** Passes the answer of a service that refuses the handshake. What the client sent behind it are frames: they are dropped. */
  async function passRefusal(answer: IncomingMessage, key: string): Promise<void> {
    answer.on("error", () => socket.destroy());
    const shouldRetry = answer.statusCode === 401 && (await isRotated(admitted, key, services));
    const refusalHead = recordHead(answer, key, ["Connection", "close"], shouldRetry);
    if (socket.destroyed) return;
    stopWatching();
    socket.write(refusalHead, "latin1");
    socket.resume();
    answer.pipe(socket);
  }

  /** Records the answer, and returns its head for the client. @param addedHeaders headers of the broker's own connection */
  function recordHead(
    answer: IncomingMessage,
    key: string,
    addedHeaders: readonly string[],
    shouldRetry = false,
  ): string {
    const { reason, headers } = headFor(answer, admitted, passing.replaced(admitted, key));
    exchange.answered(answer.statusCode, headers);
    const passedHeaders = shouldRetry ? withRetryHeader(headers) : headers;
    return headOf(`HTTP/1.1 ${answer.statusCode ?? 502} ${reason}`, [...passedHeaders, ...addedHeaders]);
  }
}

/**
 * Calls `act` if the client ends its side before the service has answered. A stream reports its end only if it is read. So this
 * reads while nothing is buffered; frames that come before the answer stay in the buffer.
 *
 * @returns a function that stops the watch
 */
function watchEnd(client: Duplex, act: () => void): () => void {
  const readIfEmpty = (): void => {
    if (client.readableLength === 0) client.read();
  };
  client.on("readable", readIfEmpty).once("end", act);
  return () => void client.off("readable", readIfEmpty).off("end", act);
}

/** Passes bytes on in both directions. An end or a failure of one side ends the other side as well. */
function joinSockets(client: Duplex, service: Duplex): void {
  for (const [from, to] of [
    [client, service],
    [service, client],
  ] as const) {
    from.on("error", () => to.destroy());
    from.pipe(to);
    // Registered after `pipe`, whose own listener must run first. The last bytes of a side that has ended properly may still wait
    // for a slow reader: then the other side is ended, not destroyed.
    from.once("close", () => (from.readableEnded ? endGently(to) : to.destroy()));
  }
}
