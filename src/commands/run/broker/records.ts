import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { RequestRecord } from "../../../broker/record.ts";
import { jsonLine } from "../../../core/json-text.ts";
import { maskingOf } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/model.ts";
import { appendToLog } from "../../audit-log/log.ts";

const MAX_PATH = 512;

/** Names a run in its records, which processes of several runs may append to one log. */
export function newRunId(): string {
  return randomBytes(8).toString("hex");
}

/**
 * Returns the writer of a record for each request (docs/agents.md). Paths are masked: a program may send any secret in one.
 * It throws a SophiaError (audit) if the line cannot be written.
 */
export function requestWriter(
  log: string,
  cwd: string,
  { run, secrets }: { readonly run: string; readonly secrets: readonly Secret[] },
): (record: RequestRecord) => void {
  const path = resolve(cwd, log);
  const masking = maskingOf(secrets);
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
