import { resolve } from "node:path";
import type { RequestRecord } from "../../../broker/request-record.ts";
import { jsonLine } from "../../../core/json-text.ts";
import { maskingOf, withFormer } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import type { Start } from "../../../resolve/start.ts";
import { secretsOf } from "../../../resolve/secret-values.ts";
import { appendToLog } from "../../parts/audit-log/log-file.ts";

const MAX_PATH = 512;

export interface RequestWriter {
  /** Throws a SophiaError (audit) if the line cannot be written. */
  readonly write: (record: RequestRecord) => void;
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
 */
export function requestWriter(log: string, cwd: string, run: string): RequestWriter {
  const path = resolve(cwd, log);
  let secrets: readonly Secret[] = [];
  let masking = maskingOf(secrets);
  const masked = (text: string): string => {
    const stream = masking.stream();
    return Buffer.concat([Buffer.from(stream.push(Buffer.from(text))), stream.flush()]).toString();
  };
  return {
    write: (record) => {
      const line = {
        version: 1,
        time: new Date().toISOString(),
        event: "request",
        run,
        pid: process.pid,
        ...record,
        // Cut after it is masked: the beginning of a secret would not be recognized.
        path: masked(record.path).slice(0, MAX_PATH),
      };
      appendToLog(path, jsonLine(line));
    },
    mask: (latest, dummies) => {
      const all = withFormer([...secretsOf(latest), ...dummies], secrets).secrets;
      masking = maskingOf(all);
      secrets = all;
    },
  };
}
