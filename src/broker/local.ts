/** Answers of this process itself, for which no service is asked. */
import type { RequestHead } from "./admit.ts";
import type { RefusalAnswer } from "./refusals.ts";

/** An answer of this process itself. Its connection is closed. */
export type LocalAnswer = RefusalAnswer;

/** A body that could not be read: longer than the limit, or without its end in time. */
export type UnreadBody = "too-long" | "too-late";

/** An answer that depends on the body of the request, which is read first. */
export interface LocalReading {
  readonly maxBytes: number;
  readonly answerTo: (body: Buffer | UnreadBody) => LocalAnswer;
}

/** Answers a request at the broker's own address; returns undefined for one that admission decides over. */
export type LocalService = (asked: RequestHead) => LocalAnswer | LocalReading | undefined;
