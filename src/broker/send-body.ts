/**
 * Sends the body of a request to its service, for forward-request.ts.
 *
 * A service may answer while the body is being sent, for example with 401 or 413, and close its connection. The next write then
 * fails (EPIPE, ECONNRESET). Node.js destroys the connection after such an error, and loses an answer that has arrived but was not
 * read yet. So everything that has arrived is read before each write.
 */
import type { ClientRequest } from "node:http";
import type { Readable } from "node:stream";

/**
 * Passes the body on.
 *
 * @param isChunked true if the body is chunked, so that a last chunk must be written at its end
 * @returns a function that stops the sending
 */
export function sendBody(clientRequest: Readable, serviceRequest: ClientRequest, isChunked: boolean): () => void {
  let isStopped = false;
  let hasPendingChunk = false;
  const sendChunk = (chunk: Buffer): void => {
    // The first write needs no reading, because no answer can have come before the head was sent.
    if (!serviceRequest.headersSent) {
      if (serviceRequest.write(chunk)) return;
      clientRequest.pause();
      return void serviceRequest.once("drain", () => clientRequest.resume());
    }
    clientRequest.pause();
    hasPendingChunk = true;
    callAfterReading(() => {
      hasPendingChunk = false;
      if (isStopped) return;
      if (serviceRequest.write(chunk)) clientRequest.resume();
      else serviceRequest.once("drain", () => clientRequest.resume());
    });
  };
  const sendEnd = (): void => {
    // At the end of a body whose length was announced, nothing is written that could fail.
    if (!isChunked && !hasPendingChunk) return void serviceRequest.end();
    // Otherwise the end must come after the pending chunk, which waits in the same queue.
    callAfterReading(() => {
      if (!isStopped) serviceRequest.end();
    });
  };
  clientRequest.on("data", sendChunk).once("end", sendEnd);
  return () => {
    isStopped = true;
    clientRequest.off("data", sendChunk).off("end", sendEnd);
  };
}

/**
 * Calls back once everything that has arrived on any connection was read. The event loop reads between two rounds of immediates.
 * One round is not enough: it comes right after the current chunk was read, and more may have arrived meanwhile.
 */
function callAfterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
