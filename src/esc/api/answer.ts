import type { Diagnostic } from "../../core/model.ts";
import type { Cleaner } from "./clean.ts";
import { EscFault, type Fault } from "../faults/fault.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { parseRetryAfter } from "../transport/retry.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The object that an answer of status 200 holds. @throws EscFault for every other answer */
export function requireObject(answer: HttpAnswer, host: string, cleaner: Cleaner): Fields {
  if (answer.status !== 200) throw new EscFault(statusFault(answer, host, cleaner));
  return parseObject(answer, host);
}

/** @throws EscFault when the body is no JSON object. What the JSON parser says is not kept: it quotes the body. */
export function parseObject(answer: HttpAnswer, host: string): Fields {
  const text = withoutMark(answer.data);
  if (text.trim() === "") throw new EscFault({ kind: "answer", host, problem: "empty" });
  const isHtml = /^text\/html\b/i.test(answer.headers["content-type"] ?? "") || text.trimStart().startsWith("<");
  if (isHtml) throw new EscFault({ kind: "answer", host, problem: "html" });
  const value = parse(text);
  if (value === undefined) throw new EscFault({ kind: "answer", host, problem: "not-json" });
  const fields = fieldsOf(value);
  if (fields === undefined) throw new EscFault({ kind: "answer", host, problem: "unexpected" });
  return fields;
}

/** The JSON text of an answer, without a byte order mark. */
export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** A JSON object's fields, or `undefined` for any other value. */
export function fieldsOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function statusFault(answer: HttpAnswer, host: string, cleaner: Cleaner): Fault {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    const to = redirectHost(headers.location, cleaner);
    return { kind: "redirect", host, status, ...(to === undefined ? {} : { to }) };
  }
  const body = fieldsOf(parse(withoutMark(answer.data)));
  // Of the server's own faults the request's id is worth more than what it says, which may quote anything.
  const message = status < 500 && typeof body?.["message"] === "string" ? cleaner.clean(body["message"]) : "";
  const requestId = headers["x-pulumi-request-id"];
  const retryAfterMs = parseRetryAfter(headers["retry-after"], headers.date, Date.now());
  return {
    kind: "status",
    host,
    status,
    ...(message === "" ? {} : { message }),
    ...(typeof requestId === "string" ? { requestId: cleaner.clean(requestId) } : {}),
    diagnostics: parseDiagnostics(body?.["diagnostics"], cleaner),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Only the host: the rest of a redirect may carry what we sent. */
function redirectHost(location: string | undefined, cleaner: Cleaner): string | undefined {
  if (location === undefined) return undefined;
  try {
    return cleaner.clean(new URL(location).host);
  } catch {
    return undefined;
  }
}

/** What the service says about a definition: a list, or an object that holds it. Without a severity it is an error. */
export function parseDiagnostics(value: unknown, cleaner: Cleaner): readonly Diagnostic[] {
  const list = Array.isArray(value) ? value : fieldsOf(value)?.["diagnostics"];
  if (!Array.isArray(list)) return [];
  const diagnostics: Diagnostic[] = [];
  for (const item of list) {
    const fields = fieldsOf(item);
    if (typeof fields?.["summary"] !== "string") continue;
    const range = fieldsOf(fields["range"]);
    const begin = fieldsOf(range?.["begin"]);
    const severity = fields["severity"];
    const environment = cleanText(range?.["environment"], cleaner);
    const line = positive(begin?.["line"]);
    const column = positive(begin?.["column"]);
    const path = cleanText(fields["path"], cleaner);
    diagnostics.push({
      severity: severity === "warning" || severity === 2 ? "warning" : "error",
      summary: cleaner.clean(fields["summary"]),
      ...(environment === undefined ? {} : { environment }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
      ...(path === undefined ? {} : { path }),
    });
  }
  return diagnostics;
}

function cleanText(value: unknown, cleaner: Cleaner): string | undefined {
  return typeof value === "string" && value !== "" ? cleaner.clean(value) : undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
