/**
 * Keeps one record for each request to the broker, from its arrival to its outcome. `Exchanges.open` begins the record. The first
 * call of `refuse`, `answerLocally`, `recordAnswer` or `recordLeft` decides the outcome and writes the record; later calls write
 * nothing.
 */
import type { IncomingMessage } from "node:http";
import type { AdmittedRequest } from "./admit.ts";
import type { Headers } from "./header-fields.ts";
import { hostOf } from "./route.ts";
import { type RequestOutcome, createRecordedPath, type RequestRecord, findRequestId } from "./request-record.ts";
import { createRefusalAnswer, type Refusal, type BrokerAnswer } from "./refusals.ts";

/** A request whose outcome is not known yet. */
export interface Exchange {
  /** Adds to the number of the body's bytes that were sent to the service. */
  readonly countBytes: (bytes: number) => void;
  /** Records and sends a refusal, of a request that was not admitted or that failed at its service. */
  readonly refuse: (refusal: Refusal) => void;
  /** Records and sends an answer of this process itself. */
  readonly answerLocally: (answer: BrokerAnswer) => void;
  /** Records the head of the service's answer. @param headers the headers as the client gets them, without keys */
  readonly recordAnswer: (status: number | undefined, headers: Headers) => void;
  /** Records that the client closed the connection before the answer. */
  readonly recordLeft: () => void;
}

type RecordedRequest = Pick<IncomingMessage, "method" | "url">;

/**
 * The exchange of one request. (An object literal with closures would cost each request eight times as much as an instance of a
 * class.)
 */
class RecordedExchange implements Exchange {
  readonly #request: RecordedRequest;
  readonly #admitted: AdmittedRequest | undefined;
  readonly #record: (exchange: Exchange, entry: RequestRecord) => void;
  readonly #send: (answer: BrokerAnswer) => void;
  readonly #start = performance.now();
  #bytesSent = 0;
  #isRecorded = false;

  /**
   * @param admitted undefined for a request that was not admitted
   * @param record writes the record
   * @param send sends an answer of this process to the client
   */
  constructor(
    request: RecordedRequest,
    admitted: AdmittedRequest | undefined,
    record: (exchange: Exchange, entry: RequestRecord) => void,
    send: (answer: BrokerAnswer) => void,
  ) {
    this.#request = request;
    this.#admitted = admitted;
    this.#record = record;
    this.#send = send;
  }

  countBytes(bytes: number): void {
    this.#bytesSent += bytes;
  }

  refuse(refusal: Refusal): void {
    const answer = createRefusalAnswer(refusal);
    const { code, name = this.#admitted?.route.name } = refusal;
    this.#writeOnce(this.#admitted === undefined ? "refused" : "failed", { status: answer.status, code, name });
    this.#send(answer);
  }

  answerLocally(answer: BrokerAnswer): void {
    this.#writeOnce(answer.status < 400 ? "answered" : "refused", { status: answer.status });
    this.#send(answer);
  }

  recordAnswer(status: number | undefined, headers: Headers): void {
    const requestId = findRequestId(headers);
    this.#writeOnce("answered", { status, ...(requestId === undefined ? {} : { requestId }) });
  }

  recordLeft(): void {
    this.#writeOnce("left", {});
  }

  #writeOnce(outcome: RequestOutcome, details: Partial<RequestRecord>): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    const { method = "", url = "" } = this.#request;
    const admitted = this.#admitted;
    this.#record(this, {
      name: admitted?.isWithoutCredentials === true ? undefined : admitted?.route.name,
      method: method.slice(0, 32),
      host: admitted === undefined ? undefined : hostOf(admitted.origin),
      path: createRecordedPath(admitted?.target ?? url),
      outcome,
      status: undefined,
      ms: Math.round((performance.now() - this.#start) * 10) / 10,
      bytesSent: this.#bytesSent,
      ...details,
    });
  }
}

/** The requests whose outcome is not known yet. */
export class Exchanges {
  // This is no Set: when a Set of V8 grows, its former table refers to the new one. A former table in the old space keeps all later
  // requests alive until a full garbage collection: 10,000 requests cost 70 MB on Node.js 24.
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
   * Begins the record of a request, which is written when the outcome is known.
   *
   * @param admitted undefined for a request that was not admitted
   * @param send sends an answer of this process to the client
   */
  open(
    request: RecordedRequest,
    admitted: AdmittedRequest | undefined,
    send: (answer: BrokerAnswer) => void,
  ): Exchange {
    const exchange = new RecordedExchange(request, admitted, this.#record, send);
    this.#underWay.push(exchange);
    return exchange;
  }

  /** Records all requests as left by their clients, since the broker closes. */
  recordAllAsLeft(): void {
    // The loop needs a copy, since `recordLeft` removes the exchange from the list.
    for (const exchange of this.#underWay.slice()) exchange.recordLeft();
  }
}
