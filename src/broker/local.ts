import type { RequestHead } from "./admit.ts";
import type { RefusalAnswer } from "./refusals.ts";

/** An answer of this process itself, for which no service is asked. Its connection is closed. */
export type LocalAnswer = RefusalAnswer;

/** Answers a request at the broker's own address; returns undefined for one that admission decides over. */
export type LocalService = (asked: RequestHead) => LocalAnswer | undefined;
