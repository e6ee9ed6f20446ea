import type { Diagnostic } from "../../core/model.ts";
import { EscFault, type Fault } from "../faults/fault.ts";
import { parseUrl } from "../settings/backend.ts";
import type { Cleaner } from "./clean.ts";
import type { HttpAnswer } from "./http.ts";
import { parseRetryAfter } from "./retry.ts";
import { withoutMark } from "../../core/text.ts";

/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The object that an answer of status 200 holds. @throws EscFault for every other answer */
export function requireObject(answer: HttpAnswer, host: string, cleaner: Cleaner): Fields {
  if (answer.status !== 200) throw new EscFault(statusFault(answer, host, cleaner));
  return parseObject(answer, host);
}

/** What the JSON parser says is not kept: it quotes the body. */
function parseObject(answer: HttpAnswer, host: string): Fields {
  const fault = (problem: Extract<Fault, { kind: "answer" }>["problem"]): EscFault =>
    new EscFault({ kind: "answer", host, problem });
  const text = withoutMark(answer.data);
  if (text.trim() === "") throw fault("empty");
  if (isPage(answer) || text.trimStart().startsWith("<")) throw fault("html");
  const value = parseJson(text);
  if (value === undefined) throw fault("not-json");
  const fields = fieldsOf(value);
  if (fields === undefined) throw fault("unexpected");
  return fields;
}

/** Whether a person was to read it: a network that requires a sign-in answers so in the service's place. */
export function isPage({ headers }: HttpAnswer): boolean {
  return /^text\/html\b/i.test(headers["content-type"] ?? "");
}

/** A JSON object's fields, or `undefined` for any other value. */
export function fieldsOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of a body that may be anything. */
export function bodyOf({ data }: HttpAnswer): Fields | undefined {
  return fieldsOf(parseJson(withoutMark(data)));
}

/** The list that a body holds, or `undefined` for any other body. */
export function listIn({ data }: HttpAnswer): readonly unknown[] | undefined {
  const value = parseJson(withoutMark(data));
  return Array.isArray(value) ? value : undefined;
}

/** The number of the revision that an answer concerns. Opening need not tell. */
export function revisionIn({ headers }: HttpAnswer): { readonly revision?: string } {
  const revision = headers["pulumi-esc-revision"];
  return typeof revision === "string" && /^\d{1,15}$/.test(revision) ? { revision } : {};
}

function statusFault(answer: HttpAnswer, host: string, cleaner: Cleaner): Fault {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    // Only the host: the rest may contain what we sent.
    const to = parseUrl(headers.location ?? "")?.host;
    return { kind: "redirect", host, status, ...(to === undefined ? {} : { to: cleaner.clean(to) }) };
  }
  const body = bodyOf(answer);
  // Of the server's own faults the request's id is worth more than what it says, which may quote anything.
  const message = status < 500 ? cleanText(body?.["message"], cleaner) : undefined;
  const requestId = cleanText(headers["x-pulumi-request-id"], cleaner);
  const retryAfterMs = parseRetryAfter(headers["retry-after"], headers.date, Date.now());
  return {
    kind: "status",
    host,
    status,
    ...(message === undefined ? {} : { message }),
    ...(requestId === undefined ? {} : { requestId }),
    diagnostics: parseDiagnostics(body?.["diagnostics"], cleaner),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
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

/** A string of the service, fit to be shown; `undefined` where there is none. */
export function cleanText(value: unknown, cleaner: Cleaner): string | undefined {
  const text = typeof value === "string" ? cleaner.clean(value) : "";
  return text === "" ? undefined : text;
}

/** A count such as that of a line, from 1; `undefined` for anything else. */
export function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
