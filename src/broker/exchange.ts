import type { IncomingMessage } from "node:http";
import type { Admitted } from "./admit.ts";
import { hostOf } from "./route.ts";
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

type RequestLine = Pick<IncomingMessage, "method" | "url">;

/** The requests under way. */
export class Exchanges {
  // No Set: its outgrown tables refer to the next ones, so that one of them in V8's old space keeps all later requests
  // alive until a full collection. 10,000 requests cost 70 MB on Node.js 24.
  readonly #underWay: Exchange[] = [];
  readonly #record: (entry: RequestRecord) => void;

  /** @param record writes a record */
  constructor(record: (entry: RequestRecord) => void) {
    this.#record = record;
  }

  /**
   * Begins the one record of a request, which is written when its outcome is known.
   *
   * @param send the answer of a refusal
   */
  open(request: RequestLine, admitted: Admitted | undefined, send: (answer: RefusalAnswer) => void): Exchange {
    const recordOnce = (entry: RequestRecord): void => {
      this.#underWay.splice(this.#underWay.indexOf(exchange), 1);
      this.#record(entry);
    };
    const exchange = openExchange(request, admitted, recordOnce, send);
    this.#underWay.push(exchange);
    return exchange;
  }

  /** Records all as left. */
  leave(): void {
    // A copy: each one is removed when it is recorded.
    for (const exchange of this.#underWay.slice()) exchange.left();
  }
}

function openExchange(
  { method = "", url = "" }: RequestLine,
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
      name: admitted?.isBare === true ? undefined : admitted?.route.name,
      method: method.slice(0, 32),
      host: admitted === undefined ? undefined : hostOf(admitted.origin),
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
