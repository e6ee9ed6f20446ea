import type { IncomingMessage } from "node:http";
import type { Admitted } from "./admit.ts";
import { hostOf } from "./headers.ts";
import { type Outcome, recordedPath, type RequestRecord, requestIdIn } from "./record.ts";
import { answerTo, type Refusal, type RefusalAnswer } from "./refusals.ts";

/** One request, of which there is one record. */
export interface Exchange {
  /** Adds bytes of the body that were sent to the service. */
  readonly count: (bytes: number) => void;
  readonly refuse: (refusal: Refusal) => void;
  /** Records that the head of the service's answer is there. */
  readonly answered: (answer: IncomingMessage) => void;
  /** Records that the client has closed the connection. */
  readonly left: () => void;
}

/**
 * Begins the one record of a request, which is written when its outcome is known.
 *
 * @param record writes the record; what it throws closes the broker
 * @param send the answer of a refusal
 */
export function openExchange(
  { method = "", url = "" }: Pick<IncomingMessage, "method" | "url">,
  admitted: Admitted | undefined,
  record: (entry: RequestRecord) => void,
  send: (answer: RefusalAnswer) => void,
): Exchange {
  const start = performance.now();
  let bytesSent = 0;
  let isRecorded = false;
  const write = (outcome: Outcome, more: Partial<RequestRecord>): void => {
    if (isRecorded) return;
    isRecorded = true;
    record({
      name: admitted?.route.name,
      method: method.slice(0, 32),
      host: admitted === undefined ? undefined : hostOf(admitted.route.origin),
      path: recordedPath(url),
      outcome,
      status: undefined,
      ms: Math.round((performance.now() - start) * 10) / 10,
      bytesSent,
      ...more,
    });
  };
  return {
    count: (bytes) => {
      bytesSent += bytes;
    },
    refuse: (refusal) => {
      const answer = answerTo(refusal);
      const { code, name = admitted?.route.name } = refusal;
      write(admitted === undefined ? "refused" : "failed", { status: answer.status, code, name });
      send(answer);
    },
    answered: ({ statusCode, headers }) => {
      const requestId = requestIdIn(headers);
      write("answered", { status: statusCode, ...(requestId === undefined ? {} : { requestId }) });
    },
    left: () => write("left", {}),
  };
}
