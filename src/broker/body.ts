/**
 * Sends the body of a request to its service. A service may answer while it is being sent, such as 401 or 413, and close
 * its connection. Then a write fails (EPIPE, ECONNRESET), for which Node.js destroys the connection, along with an answer
 * that has arrived and was not read. So what has arrived is read before each write.
 */
import type { ClientRequest } from "node:http";
import type { Readable } from "node:stream";

/**
 * Passes the body on.
 *
 * @param isChunked the end of the body is a chunk, too
 * @returns a function that stops that: what still comes from the client is not sent
 */
export function sendBody(request: Readable, sent: ClientRequest, isChunked: boolean): () => void {
  let isStopped = false;
  /** A chunk waits to be written. */
  let isWaiting = false;
  const take = (chunk: Buffer): void => {
    // There is no answer to a request that was not begun.
    if (!sent.headersSent) {
      if (sent.write(chunk)) return;
      request.pause();
      return void sent.once("drain", () => request.resume());
    }
    request.pause();
    isWaiting = true;
    afterReading(() => {
      isWaiting = false;
      if (isStopped) return;
      if (sent.write(chunk)) request.resume();
      else sent.once("drain", () => request.resume());
    });
  };
  const end = (): void => {
    // Nothing is written at the end of a body whose length was announced.
    if (!isChunked && !isWaiting) return void sent.end();
    // Behind the last chunk.
    afterReading(() => {
      if (!isStopped) sent.end();
    });
  };
  request.on("data", take).once("end", end);
  return () => {
    isStopped = true;
    request.off("data", take).off("end", end);
  };
}

/**
 * Acts when all connections were read that have something to read: the event loop does that between two rounds of
 * immediates. One round is too early: it ends the reading in which this chunk came, during which more may have arrived.
 */
function afterReading(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
