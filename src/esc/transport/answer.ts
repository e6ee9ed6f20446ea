/**
 * Parses the answers of Pulumi ESC: an answer of any form becomes a value of a known type, or a fault (`EscFault`).
 *
 *     { "id": "…", "diagnostics": [{ "severity": "warning", "summary": "…", "range": { "begin": { "line": 3 } } }] }
 *
 * Every text of the service that a message may show goes through a `Cleaner`, because the service may quote the token in it.
 */
import type { Diagnostic } from "../../core/model.ts";
import { printable, withoutMark } from "../../core/text.ts";
import { parseUrl } from "../../core/url.ts";
import type { HttpAnswer } from "../../network/http.ts";
import { EscFault, type Fault } from "../faults/esc-fault.ts";
import type { Secret } from "../settings/secret.ts";
import { parseRetryAfter } from "./retry.ts";

/** The members of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The limit on the length of a text of the service in a message, in characters. */
const MAX_TEXT_LENGTH = 300;
const MASK = "***";

/** Makes a text of a server fit for a message: masks secrets, escapes control characters, and cuts it to 300 characters. */
export class Cleaner {
  /** The secrets in all their forms, with ASCII letters in lower case. */
  readonly #secrets: string[] = [];

  /** Masks a secret from now on, as it is and in its forms in URLs and in headers (Base64). @returns the secret */
  hide(secret: Secret): Secret {
    const text = secret.reveal();
    if (text === "") return secret;
    const forms = [text, encodeURIComponent(text), Buffer.from(text).toString("base64")];
    this.#secrets.push(...forms.map(lowerCase));
    return secret;
  }

  /** Returns the text in a form for messages. */
  clean(text: string): string {
    const line = printable(this.#mask(text).trim());
    return line.length > MAX_TEXT_LENGTH ? `${line.slice(0, MAX_TEXT_LENGTH)}…` : line;
  }

  /** Replaces each secret by `***`. */
  #mask(text: string): string {
    // The secrets are searched in a copy in lower case, which has each character at the same position as the text.
    // The search ignores case: hosts are written in lower case, and escapes in URLs in either case.
    let masked = text;
    let lowered = lowerCase(text);
    // The longest secret is masked first. Otherwise a short secret that is part of it would leave the rest visible.
    for (const secret of this.#secrets.toSorted((a, b) => b.length - a.length)) {
      // A regular expression has a limit on its length, but a value may have 128 KiB.
      const loweredParts = lowered.split(secret);
      if (loweredParts.length === 1) continue;
      let offset = 0;
      const maskedParts: string[] = [];
      for (const { length } of loweredParts) {
        maskedParts.push(masked.slice(offset, offset + length));
        offset += length + secret.length;
      }
      masked = maskedParts.join(MASK);
      lowered = loweredParts.join(MASK);
    }
    return masked;
  }
}

/** Changes only ASCII letters, so that each character keeps its position. Some other letters become longer in lower case. */
function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Returns the members of the JSON object in an answer of status 200. @throws EscFault for any other answer */
export function requireObject(answer: HttpAnswer, host: string, cleaner: Cleaner): Fields {
  if (answer.status !== 200) throw new EscFault(createStatusFault(answer, host, cleaner));
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

/** Returns true for an answer in HTML. A network that requires a sign-in sends one in place of the service. */
export function isPage({ headers }: HttpAnswer): boolean {
  return /^text\/html\b/i.test(headers["content-type"] ?? "");
}

/** Returns the value if it is a JSON object. */
export function fieldsOf(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value at a path of names; undefined if there is none. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((parent, name) => fieldsOf(parent)?.[name], value);
}

/** Returns the string at a path of names; undefined for an empty one and for any other value. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = valueAt(value, ...path);
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** Returns the objects in a list; none for any other value. */
export function objectsIn(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** Returns the JSON value of a body; undefined if the body is not JSON. */
export function bodyOf({ data }: HttpAnswer): unknown {
  return parseJson(withoutMark(data));
}

/** Returns the revision of the environment that the service reports in a header. */
export function revisionIn({ headers }: HttpAnswer): string | undefined {
  const revision = headers["pulumi-esc-revision"];
  return typeof revision === "string" && /^\d{1,15}$/.test(revision) ? revision : undefined;
}

/** Returns the fault for an answer of another status than 200. */
function createStatusFault(answer: HttpAnswer, host: string, cleaner: Cleaner): Fault {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    // Only the host of the location is shown, because the rest may repeat what sophia-run sent, such as the token.
    return { kind: "redirect", host, status, to: cleanText(parseUrl(headers.location ?? "")?.host, cleaner) };
  }
  const body = fieldsOf(bodyOf(answer));
  return {
    kind: "status",
    host,
    status,
    // The message of a server error may quote anything, so it is not shown. The ID of the request helps the service's support more.
    message: status < 500 ? cleanText(body?.["message"], cleaner) : undefined,
    ...(isPage(answer) && { isPage: true }),
    requestId: cleanText(headers["x-pulumi-request-id"], cleaner),
    diagnostics: parseDiagnostics(body?.["diagnostics"], cleaner),
    retryAfterMs: parseRetryAfter(headers["retry-after"], headers.date, Date.now()),
  };
}

/**
 * Parses the diagnostics of a definition: a list, or an object whose member `diagnostics` is the list. Items without a summary are
 * ignored. The default severity is error.
 *
 *     [{ "severity": "warning", "summary": "…", "path": "values.a", "range": { "environment": "acme/dev", "begin": { "line": 3 } } }]
 */
export function parseDiagnostics(value: unknown, cleaner: Cleaner): readonly Diagnostic[] {
  return objectsIn(fieldsOf(value)?.["diagnostics"] ?? value).flatMap((fields): readonly Diagnostic[] => {
    const { summary, severity, range, path } = fields;
    if (typeof summary !== "string") return [];
    const environment = cleanText(valueAt(range, "environment"), cleaner);
    const line = positiveInteger(valueAt(range, "begin", "line"));
    const column = positiveInteger(valueAt(range, "begin", "column"));
    const shownPath = cleanText(path, cleaner);
    return [
      {
        // The service may send the severity as a number, of which 2 means a warning.
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

/** Cleans a text of the service. @returns undefined for an empty text, and for any other value */
export function cleanText(value: unknown, cleaner: Cleaner): string | undefined {
  const text = typeof value === "string" ? cleaner.clean(value) : "";
  return text === "" ? undefined : text;
}

/** Returns a whole number from 1, such as that of a line; undefined for any other value. */
export function positiveInteger(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
