/** Reads the body of a request that this process itself answers, with a limit on its length and its time. */
import type { IncomingMessage } from "node:http";
import type { UnreadBody } from "./local.ts";

/** The server itself has no limit: a request to a service may last as long as it needs. */
const LIMIT_MS = 10_000;

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
    const timer = setTimeout(() => finish("too-late"), LIMIT_MS).unref();
    request.on("data", take).once("end", end).once("close", leave);
  });
}
