import type { Diagnostic } from "../../core/model.ts";
import { withoutMark } from "../../core/text.ts";
import { EscFault, type Fault } from "../faults/fault.ts";
import { parseUrl } from "../settings/backend.ts";
import type { Cleaner } from "./clean.ts";
import type { HttpAnswer } from "./http.ts";
import { parseRetryAfter } from "./retry.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** The object that an answer of status 200 holds. @throws EscFault for every other answer */
export function requireObject(answer: HttpAnswer, host: string, cleaner: Cleaner): Fields {
  if (answer.status !== 200) throw new EscFault(statusFault(answer, host, cleaner));
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

/** Returns true for HTML: a network that requires a sign-in answers so in the service's place. */
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

/** The value at a path of names; `undefined` if anything on the way is not an object. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((one, name) => fieldsOf(one)?.[name], value);
}

/** The objects of a list; none for anything else. */
export function objectsIn(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** The JSON value of a body; `undefined` for any other body. */
export function bodyOf({ data }: HttpAnswer): unknown {
  return parseJson(withoutMark(data));
}

/** The number of the revision that an answer concerns; the service need not tell. */
export function revisionIn({ headers }: HttpAnswer): string | undefined {
  const revision = headers["pulumi-esc-revision"];
  return typeof revision === "string" && /^\d{1,15}$/.test(revision) ? revision : undefined;
}

function statusFault(answer: HttpAnswer, host: string, cleaner: Cleaner): Fault {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    // Only the host: the rest may contain what we sent.
    return { kind: "redirect", host, status, to: cleanText(parseUrl(headers.location ?? "")?.host, cleaner) };
  }
  const body = fieldsOf(bodyOf(answer));
  return {
    kind: "status",
    host,
    status,
    // The words for the server's own faults may quote anything; the request's ID is worth more.
    message: status < 500 ? cleanText(body?.["message"], cleaner) : undefined,
    requestId: cleanText(headers["x-pulumi-request-id"], cleaner),
    diagnostics: parseDiagnostics(body?.["diagnostics"], cleaner),
    retryAfterMs: parseRetryAfter(headers["retry-after"], headers.date, Date.now()),
  };
}

/** Reads the diagnostics of a definition: a list, or an object that holds it. Without a severity one is an error. */
export function parseDiagnostics(value: unknown, cleaner: Cleaner): readonly Diagnostic[] {
  return objectsIn(fieldsOf(value)?.["diagnostics"] ?? value).flatMap((fields): readonly Diagnostic[] => {
    const { summary, severity, range, path } = fields;
    if (typeof summary !== "string") return [];
    const environment = cleanText(valueAt(range, "environment"), cleaner);
    const line = positive(valueAt(range, "begin", "line"));
    const column = positive(valueAt(range, "begin", "column"));
    const shownPath = cleanText(path, cleaner);
    return [
      {
        severity: severity === "warning" || severity === 2 ? "warning" : "error",
        summary: cleaner.clean(summary),
        ...(environment === undefined ? {} : { environment }),
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
        ...(shownPath === undefined ? {} : { path: shownPath }),
      },
    ];
  });
}

/** A string of the service, fit to be shown; `undefined` if there is none. */
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
