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
import { maskingOf, addFormerSecrets } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import type { Start } from "../../../resolve/start.ts";
import { collectSecrets } from "../../../resolve/secret-values.ts";
import { appendToAuditLog } from "../../parts/audit-log/log-file.ts";

/** The limit on the length of a path in the log, in characters. */
const MAX_PATH_LENGTH = 512;

/**
 * The limit on the lines in an hour for refused requests that carry no key of this run. Other users, and web pages in a browser, can
 * send any number of such requests. Since the log keeps only its latest lines, the lines for the program's own requests would be lost.
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
   * @throws SophiaError (redact-size) as `maskingOf`, and then changes nothing
   */
  readonly mask: (start: Start, dummies: readonly Secret[]) => void;
}

/** @param log the path of the audit log, relative to `cwd` unless it is absolute @param run identifies the run in each line */
export function createRequestWriter(log: string, cwd: string, run: string): RequestWriter {
  const logPath = resolve(cwd, log);
  let secrets: readonly Secret[] = [];
  let masking = maskingOf(secrets);
  const maskText = (text: string): string => {
    const stream = masking.stream();
    return Buffer.concat([Buffer.from(stream.push(Buffer.from(text))), stream.flush()]).toString();
  };
  const append = (event: string, fields: object): void => {
    const time = new Date().toISOString();
    appendToAuditLog(logPath, formatJsonLine({ version: 1, time, event, run, pid: process.pid, ...fields }));
  };

  let refusedCount = 0;
  let hourBegin = performance.now();
  const endHour = (): void => {
    const omittedCount = refusedCount - MAX_REFUSED_LINES;
    refusedCount = 0;
    hourBegin = performance.now();
    if (omittedCount > 0) append("refused-requests", { count: omittedCount });
  };
  return {
    write: (record) => {
      if (performance.now() - hourBegin >= HOUR_MS) endHour();
      if (record.outcome === "refused" && record.name === undefined) {
        refusedCount += 1;
        if (refusedCount > MAX_REFUSED_LINES) return;
      }
      // The path is cut after masking, because the masking does not recognize the beginning of a secret.
      append("request", { ...record, path: maskText(record.path).slice(0, MAX_PATH_LENGTH) });
    },
    end: endHour,
    mask: (start, dummies) => {
      const allSecrets = addFormerSecrets([...collectSecrets(start), ...dummies], secrets).secrets;
      masking = maskingOf(allSecrets);
      secrets = allSecrets;
    },
  };
}
