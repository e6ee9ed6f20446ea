/**
 * Reads the body of a request that a service of this process answers (local-service.ts), with a limit on its length and its time.
 */
import type { IncomingMessage } from "node:http";
import type { UnreadBody } from "./local-service.ts";

/**
 * The time limit for the whole body. The server has none, since a request to a service of the network may last as long as it needs.
 */
const MAX_READING_MS = 10_000;

/** Returns the body; undefined if the client closed the connection before the end of the body. */
export function readLocalBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | UnreadBody | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    const finish = (result: Buffer | UnreadBody | undefined): void => {
      clearTimeout(timer);
      request.off("data", addPart).off("end", finishBody).off("close", finishEarly);
      resolve(result);
    };
    const addPart = (part: Buffer): void => {
      length += part.length;
      if (length > maxBytes) finish("too-long");
      else parts.push(part);
    };
    const finishBody = (): void => finish(Buffer.concat(parts));
    const finishEarly = (): void => finish(undefined);
    const timer = setTimeout(() => finish("too-late"), MAX_READING_MS).unref();
    request.on("data", addPart).once("end", finishBody).once("close", finishEarly);
  });
}
