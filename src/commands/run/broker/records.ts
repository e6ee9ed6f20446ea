import { resolve } from "node:path";
import type { RequestRecord } from "../../../broker/request-record.ts";
import { jsonLine } from "../../../core/json-text.ts";
import { maskingOf, addFormerSecrets } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import type { Start } from "../../../resolve/start.ts";
import { secretsOf } from "../../../resolve/secret-values.ts";
import { appendToAuditLog } from "../../parts/audit-log/log-file.ts";

const MAX_PATH = 512;

/** So many refused requests without a key of this run have a line of their own in an hour. */
const MOST_REFUSED = 1000;
const HOUR_MS = 3_600_000;

export interface RequestWriter {
  /** Throws a SophiaError (audit) if the line cannot be written. */
  readonly write: (record: RequestRecord) => void;
  /** Writes how many requests have no line, if there are such. */
  readonly end: () => void;
  /**
   * Masks the secrets of an start as well in later records, and the dummies, which are in paths that are refused.
   *
   * @throws SophiaError (redact-size) as `maskingOf`
   */
  readonly mask: (latest: Start, dummies: readonly Secret[]) => void;
}

/**
 * Returns the writer of a record for each request (docs/agents.md). Paths are masked: a program may send any secret in one,
 * a former one, too.
 *
 * Whoever can connect, such as another user or a web page in a browser, can send any number of requests that are refused.
 * Since the log keeps its latest lines, these would drop those of the program. So there is a limit, and a line with their
 * number.
 */
export function requestWriter(log: string, cwd: string, run: string): RequestWriter {
  const path = resolve(cwd, log);
  let secrets: readonly Secret[] = [];
  let masking = maskingOf(secrets);
  const masked = (text: string): string => {
    const stream = masking.stream();
    return Buffer.concat([Buffer.from(stream.push(Buffer.from(text))), stream.flush()]).toString();
  };
  const append = (event: string, fields: object): void => {
    appendToAuditLog(
      path,
      jsonLine({ version: 1, time: new Date().toISOString(), event, run, pid: process.pid, ...fields }),
    );
  };
  let refused = 0;
  let begin = performance.now();
  const appendCount = (): void => {
    const count = refused - MOST_REFUSED;
    refused = 0;
    begin = performance.now();
    if (count > 0) append("refused-requests", { count });
  };
  return {
    write: (record) => {
      if (performance.now() - begin >= HOUR_MS) appendCount();
      if (record.outcome === "refused" && record.name === undefined) {
        refused += 1;
        if (refused > MOST_REFUSED) return;
      }
      // Cut after it is masked: the beginning of a secret would not be recognized.
      append("request", { ...record, path: masked(record.path).slice(0, MAX_PATH) });
    },
    end: appendCount,
    mask: (latest, dummies) => {
      const all = addFormerSecrets([...secretsOf(latest), ...dummies], secrets).secrets;
      masking = maskingOf(all);
      secrets = all;
    },
  };
}
