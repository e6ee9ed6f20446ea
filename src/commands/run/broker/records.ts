/**
 * Writes a line to the audit log (`--audit-log`) for each request that the program sends to the broker (docs/agents.md), such as
 *
 *     {"version":1,"time":"…","event":"request","run":"…","pid":42,"name":"OPENAI_API_KEY","path":"/v1/models",…}
 *
 * Secrets in paths are masked, because a program may send any secret in a path. Former secrets stay masked after a change in ESC.
 */
import { resolve } from "node:path";
import type { RequestRecord } from "../../../broker/request-record.ts";
import { formatJsonLine } from "../../../core/json-text.ts";
import { createMasking, addFormerSecrets } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import type { Start } from "../../../resolve/start.ts";
import { collectSecrets } from "../../../resolve/secret-values.ts";
import { appendToAuditLog } from "../../parts/audit-log/log-file.ts";

/** The limit on the length of a path in the log, in characters. */
const MAX_PATH_LENGTH = 512;

/**
 * The limit on the lines in an hour for refused requests that carry no key of this run. Other users, and web pages in a browser,
 * can send any number of such requests. Since the log keeps only its latest lines, the lines for the program's own requests would
 * be lost.
 */
const MAX_REFUSED_LINES = 1000;
const HOUR_MS = 3_600_000;

export interface RequestWriter {
  /** @throws SophiaError (audit) if the line cannot be written */
  readonly write: (record: RequestRecord) => void;
  /** Writes the number of the requests that got no line, if there are any. @throws SophiaError (audit) */
  readonly end: () => void;
  /**
   * Masks the secrets of a start in later records as well, and the dummies, which are in paths that are refused.
   *
   * @throws SophiaError (redact-size) as `createMasking`, and then changes nothing
   */
  readonly mask: (start: Start, dummies: readonly Secret[]) => void;
}

/**
 * Creates the writer of a run.
 *
 * @param log the path of the audit log, relative to `cwd` unless it is absolute
 * @param run identifies the run in each line
 */
export function createRequestWriter(log: string, cwd: string, run: string): RequestWriter {
  return new AuditedRequests(resolve(cwd, log), run);
}

class AuditedRequests implements RequestWriter {
  readonly #logPath: string;
  readonly #run: string;
  /** The secrets that are masked in paths, also the former ones. */
  #secrets: readonly Secret[] = [];
  #masking = createMasking(this.#secrets);
  /** The number of refused requests without a key in this hour. */
  #refusedCount = 0;
  /** The time at which this hour has begun, by the monotonic clock. */
  #hourBegin = performance.now();

  constructor(logPath: string, run: string) {
    this.#logPath = logPath;
    this.#run = run;
  }

  write(record: RequestRecord): void {
    if (performance.now() - this.#hourBegin >= HOUR_MS) this.end();
    if (record.outcome === "refused" && record.name === undefined) {
      this.#refusedCount += 1;
      if (this.#refusedCount > MAX_REFUSED_LINES) return;
    }
    // The path is cut after masking, because the masking does not recognize the beginning of a secret.
    const path = this.#maskText(record.path).slice(0, MAX_PATH_LENGTH);
    this.#append("request", { ...record, path });
  }

  /** Ends the hour, and begins the next one. */
  end(): void {
    const omittedCount = this.#refusedCount - MAX_REFUSED_LINES;
    this.#refusedCount = 0;
    this.#hourBegin = performance.now();
    if (omittedCount > 0) this.#append("refused-requests", { count: omittedCount });
  }

  mask(start: Start, dummies: readonly Secret[]): void {
    const { secrets } = addFormerSecrets([...collectSecrets(start), ...dummies], this.#secrets);
    // This may throw, and then the former masking must stay.
    this.#masking = createMasking(secrets);
    this.#secrets = secrets;
  }

  #maskText(text: string): string {
    const stream = this.#masking.stream();
    return Buffer.concat([Buffer.from(stream.push(Buffer.from(text))), stream.flush()]).toString();
  }

  #append(event: string, fields: object): void {
    const time = new Date().toISOString();
    appendToAuditLog(
      this.#logPath,
      formatJsonLine({ version: 1, time, event, run: this.#run, pid: process.pid, ...fields }),
    );
  }
}
