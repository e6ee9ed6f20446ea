import type { IncomingMessage } from "node:http";
import type { Admitted } from "./admit.ts";
import type { Headers } from "./fields.ts";
import { hostOf } from "./route.ts";
import { type Outcome, recordedPath, type RequestRecord, requestIdIn } from "./request-record.ts";
import { answerTo, type Refusal, type RefusalAnswer } from "./refusals.ts";

/** One request, of which there is one record. */
export interface Exchange {
  /** Adds bytes of the body that were sent to the service. */
  readonly count: (bytes: number) => void;
  readonly refuse: (refusal: Refusal) => void;
  /** Sends an answer of this process itself. */
  readonly answerLocally: (answer: RefusalAnswer) => void;
  /** Records that the head of the service's answer is there. @param headers as the client gets them: without keys */
  readonly answered: (status: number | undefined, headers: Headers) => void;
  /** Records that the client has closed the connection. */
  readonly left: () => void;
}

type RequestLine = Pick<IncomingMessage, "method" | "url">;

/** With methods, since functions of its own would cost each request eight times as much. */
class RecordedExchange implements Exchange {
  readonly #request: RequestLine;
  readonly #admitted: Admitted | undefined;
  readonly #record: (exchange: Exchange, entry: RequestRecord) => void;
  readonly #send: (answer: RefusalAnswer) => void;
  readonly #start = performance.now();
  #bytesSent = 0;
  #isRecorded = false;

  /**
   * @param record writes the record
   * @param send the answer of a refusal
   */
  constructor(
    request: RequestLine,
    admitted: Admitted | undefined,
    record: (exchange: Exchange, entry: RequestRecord) => void,
    send: (answer: RefusalAnswer) => void,
  ) {
    this.#request = request;
    this.#admitted = admitted;
    this.#record = record;
    this.#send = send;
  }

  count(bytes: number): void {
    this.#bytesSent += bytes;
  }

  refuse(refusal: Refusal): void {
    const answer = answerTo(refusal);
    const { code, name = this.#admitted?.route.name } = refusal;
    this.#write(this.#admitted === undefined ? "refused" : "failed", { status: answer.status, code, name });
    this.#send(answer);
  }

  answerLocally(answer: RefusalAnswer): void {
    this.#write(answer.status < 400 ? "answered" : "refused", { status: answer.status });
    this.#send(answer);
  }

  answered(status: number | undefined, headers: Headers): void {
    const requestId = requestIdIn(headers);
    this.#write("answered", { status, ...(requestId === undefined ? {} : { requestId }) });
  }

  left(): void {
    this.#write("left", {});
  }

  #write(outcome: Outcome, more: Partial<RequestRecord>): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    const { method = "", url = "" } = this.#request;
    const admitted = this.#admitted;
    this.#record(this, {
      name: admitted?.isBare === true ? undefined : admitted?.route.name,
      method: method.slice(0, 32),
      host: admitted === undefined ? undefined : hostOf(admitted.origin),
      path: recordedPath(admitted?.target ?? url),
      outcome,
      status: undefined,
      ms: Math.round((performance.now() - this.#start) * 10) / 10,
      bytesSent: this.#bytesSent,
      ...more,
    });
  }
}

/** The requests under way. */
export class Exchanges {
  // No Set: its outgrown tables refer to the next ones, so that one of them in V8's old space keeps all later requests
  // alive until a full collection. 10,000 requests cost 70 MB on Node.js 24.
  readonly #underWay: Exchange[] = [];
  readonly #record: (exchange: Exchange, entry: RequestRecord) => void;

  /** @param record writes a record */
  constructor(record: (entry: RequestRecord) => void) {
    this.#record = (exchange, entry) => {
      this.#underWay.splice(this.#underWay.indexOf(exchange), 1);
      record(entry);
    };
  }

  /**
   * Begins the one record of a request, which is written when its outcome is known.
   *
   * @param send the answer of a refusal
   */
  open(request: RequestLine, admitted: Admitted | undefined, send: (answer: RefusalAnswer) => void): Exchange {
    const exchange = new RecordedExchange(request, admitted, this.#record, send);
    this.#underWay.push(exchange);
    return exchange;
  }

  /** Records all as left. */
  leave(): void {
    // A copy: each one is removed when it is recorded.
    for (const exchange of this.#underWay.slice()) exchange.left();
  }
}
