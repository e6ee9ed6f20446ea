/**
 * The types of a service of this process, such as the one that refreshes credentials (commands/run/refresh). It answers requests at
 * the broker's address on loopback, which need no key.
 */
import type { RequestHead } from "./admit.ts";
import type { BrokerAnswer } from "./refusals.ts";

/** An answer of this process itself. Its connection is closed. */
export type LocalAnswer = BrokerAnswer;

/** A body that could not be read: longer than the limit, or without its end in time. */
export type UnreadBody = "too-long" | "too-late";

/** An answer that depends on the body of the request, which is read first. */
export interface LocalBodyReader {
  readonly maxBytes: number;
  readonly answerTo: (body: Buffer | UnreadBody) => LocalAnswer;
}

/** Answers a request. Returns undefined if the request is not for this service, so that it needs a key. */
export type LocalService = (head: RequestHead) => LocalAnswer | LocalBodyReader | undefined;
