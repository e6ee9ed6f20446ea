/** The reading of answers: whatever the service sends, a value of a known form or a fault. */
import type { Diagnostic } from "../../core/model.ts";
import { printable, withoutMark } from "../../core/text.ts";
import { parseUrl } from "../../core/url.ts";
import type { HttpAnswer } from "../../network/http.ts";
import { EscFault, type Fault } from "../faults/esc-fault.ts";
import type { Secret } from "../settings/secret.ts";
import { parseRetryAfter } from "./retry.ts";

export type Fields = Readonly<Record<string, unknown>>;

const MAX_LENGTH = 300;
const MASK = "***";

/** Makes a string of a server fit to be shown: secrets masked, control characters escaped, cut to 300 characters. */
export class Cleaner {
  readonly #secrets: string[] = [];

  /** Masks a secret from now on, in its plain form and as URLs and Basic credentials carry it. @returns the secret */
  hide(secret: Secret): Secret {
    const text = secret.reveal();
    if (text === "") return secret;
    const forms = [text, encodeURIComponent(text), Buffer.from(text).toString("base64")];
    this.#secrets.push(...forms.map(lowerCase));
    return secret;
  }

  clean(text: string): string {
    let masked = text;
    // Case is ignored: hosts come in lower case, and the escapes of URLs in both.
    let searched = lowerCase(text);
    // The longest first: else a short one that is part of it would leave the rest visible.
    for (const secret of this.#secrets.toSorted((a, b) => b.length - a.length)) {
      // Not by a pattern, which has a limit of length: a value may have 128 KiB.
      const between = searched.split(secret);
      if (between.length === 1) continue;
      let at = 0;
      const kept: string[] = [];
      for (const { length } of between) {
        kept.push(masked.slice(at, at + length));
        at += length + secret.length;
      }
      masked = kept.join(MASK);
      searched = between.join(MASK);
    }
    const line = printable(masked.trim());
    return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
  }
}

/** Changes ASCII letters alone, so that each character keeps its place. */
function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Returns the fields of an answer with status 200. @throws EscFault for any other answer */
export function requireObject(answer: HttpAnswer, host: string, cleaner: Cleaner): Fields {
  if (answer.status !== 200) throw new EscFault(statusFault(answer, host, cleaner));
  const fault = (problem: Extract<Fault, { kind: "answer" }>["problem"]): EscFault =>
    new EscFault({ kind: "answer", host, problem });
  const text = withoutMark(answer.data);
  if (text.trim() === "") throw fault("empty");
  if (isPage(answer) || text.trimStart().startsWith("<")) throw fault("html");
  const value = parseJson(text);
  if (value === undefined) throw fault("not-json");
  if (!isFields(value)) throw fault("unexpected");
  return value;
}

/** Returns true for HTML: a network that requires a sign-in answers so in the service's place. */
export function isPage({ headers }: HttpAnswer): boolean {
  return /^text\/html\b/i.test(headers["content-type"] ?? "");
}

export function fieldsOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value at a path of names; undefined if there is none. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((one, name) => fieldsOf(one)?.[name], value);
}

/** Returns the string at a path of names; undefined for an empty one and for any other value. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** Returns the objects in a list; none for any other value. */
export function objectsIn(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** Returns the JSON value of a body; undefined for any other body. */
export function bodyOf({ data }: HttpAnswer): unknown {
  return parseJson(withoutMark(data));
}

/** Returns the revision that the service reports in a header. */
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
    // The message of a server error may quote anything; the request's ID is worth more.
    message: status < 500 ? cleanText(body?.["message"], cleaner) : undefined,
    ...(isPage(answer) && { isPage: true }),
    requestId: cleanText(headers["x-pulumi-request-id"], cleaner),
    diagnostics: parseDiagnostics(body?.["diagnostics"], cleaner),
    retryAfterMs: parseRetryAfter(headers["retry-after"], headers.date, Date.now()),
  };
}

/** Reads the diagnostics of a definition: a list, or an object that holds it. One without a severity is an error. */
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

/** Returns a text of the service without secrets and control characters; undefined for an empty one. */
export function cleanText(value: unknown, cleaner: Cleaner): string | undefined {
  const text = typeof value === "string" ? cleaner.clean(value) : "";
  return text === "" ? undefined : text;
}

/** Returns a count from 1, such as that of a line; undefined for any other value. */
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
