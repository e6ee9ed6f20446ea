import { resolve } from "node:path";
import type { RequestRecord } from "../../../broker/record.ts";
import { jsonLine } from "../../../core/json-text.ts";
import { maskingOf } from "../../../masking/masking.ts";
import type { Assessment } from "../../../resolve/assessment.ts";
import { secretsOf } from "../../../resolve/secrets.ts";
import { appendToLog } from "../../audit-log/log.ts";

const MAX_PATH = 512;

/**
 * Returns the writer of a record for each request (docs/agents.md). Paths are masked: a program may send any secret in one.
 * It throws a SophiaError (audit) if the line cannot be written.
 */
export function requestWriter(
  log: string,
  cwd: string,
  { run, assessment }: { readonly run: string; readonly assessment: Assessment },
): (record: RequestRecord) => void {
  const path = resolve(cwd, log);
  const masking = maskingOf(secretsOf(assessment));
  const masked = (text: string): string => {
    const stream = masking.stream();
    return Buffer.concat([Buffer.from(stream.push(Buffer.from(text))), stream.flush()]).toString();
  };
  return (record) => {
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
  };
}
