/** Reads the body of a request that a service of this process answers (local.ts), with a limit on its length and its time. */
import type { IncomingMessage } from "node:http";
import type { UnreadBody } from "./local.ts";

/** The time limit for the whole body. The server has none, since a request to a service of the network may last as long as it needs. */
const MAX_READING_MS = 10_000;

/** Returns the body; undefined if the client has left before its end. */
export function readLocalBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | UnreadBody | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    const finish = (result: Buffer | UnreadBody | undefined): void => {
      clearTimeout(timer);
      request.off("data", take).off("end", end).off("close", leave);
      resolve(result);
    };
    const take = (part: Buffer): void => {
      length += part.length;
      if (length > maxBytes) finish("too-long");
      else parts.push(part);
    };
    const end = (): void => finish(Buffer.concat(parts));
    const leave = (): void => finish(undefined);
    const timer = setTimeout(() => finish("too-late"), MAX_READING_MS).unref();
    request.on("data", take).once("end", end).once("close", leave);
  });
}
