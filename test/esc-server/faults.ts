/**
 * The faults that a test can plan for a request to the ESC server, such as a reset connection, a status of 503 or an
 * endless answer.
 */
import { type Answer, diagnosticJson, failure, html, invalidDefinition, json } from "./answer.ts";
import type { Diagnostic } from "./evaluate.ts";
import { type Json, parseObject, writeJson } from "./json.ts";

/** A fault of one request. */
export type Fault =
  /** An answer of that status. The body is the service's own form unless one is given. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string | { readonly [key: string]: Json };
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** An HTML page, as proxies and captive portals send. Status 200 by default. */
  | { readonly kind: "html"; readonly status?: number; readonly body?: string }
  /** A connection reset (RST): before any answer, within the headers, or in the middle of the body. */
  | { readonly kind: "reset"; readonly at: "start" | "headers" | "body" }
  /** An orderly end of the connection (FIN) where more was due. */
  | { readonly kind: "disconnect"; readonly at: "start" | "headers" | "body" }
  /** Nothing more is sent, for ever: before the answer or after half of the body. */
  | { readonly kind: "hang"; readonly at: "start" | "body" }
  /** The answer waits until `released` resolves. */
  | { readonly kind: "hold"; readonly released: Promise<void> }
  /** The real body, `bytes` at a time, `everyMs` apart. */
  | { readonly kind: "drip"; readonly bytes: number; readonly everyMs: number }
  /** The first half of the real body in a complete HTTP answer. */
  | { readonly kind: "truncated" }
  /** Status 200 with a JSON content type and a body that is not JSON. */
  | { readonly kind: "invalidJson" }
  /** Status 200 and no body. */
  | { readonly kind: "empty" }
  | { readonly kind: "redirect"; readonly to: string; readonly status?: 301 | 302 | 303 | 307 | 308 }
  /** JSON of that many bytes, `gzip`: small on the wire; `declared`: its length is in the headers. */
  | { readonly kind: "oversized"; readonly bytes: number; readonly gzip?: boolean; readonly declared?: boolean }
  /** 429 for what is over the rate; with faults on several operations each has its own count. */
  | {
      readonly kind: "rateLimit";
      readonly perSecond: number;
      /** How many may come at once; `perSecond` by default. */
      readonly burst?: number;
      /** Seconds, the same as an HTTP date, or no header. */
      readonly retryAfter?: number | { readonly date: number };
    }
  /** Evaluation errors. `code: null` leaves the code out. */
  | {
      readonly kind: "diagnostics";
      readonly diagnostics: readonly Diagnostic[];
      readonly status?: number;
      readonly code?: number | null;
    }
  /** The real answer with warnings added, as a list (Go CLI) or as an object that holds the list (SDK). */
  | { readonly kind: "warnings"; readonly diagnostics: readonly Diagnostic[]; readonly shape?: "list" | "object" }
  /** 404, as when the session ended between open and read. */
  | { readonly kind: "expired" };

/** A status, or the name of a fault that needs no more said; `ECONNRESET` is a reset before any answer. */
export type FaultName = number | "ECONNRESET" | "hang" | "html" | "empty" | "truncated" | "invalidJson" | "expired";

export function toFault(fault: Fault | FaultName): Fault {
  if (typeof fault === "number") return { kind: "status", status: fault };
  if (typeof fault === "object") return fault;
  if (fault === "ECONNRESET") return { kind: "reset", at: "start" };
  if (fault === "hang") return { kind: "hang", at: "start" };
  return { kind: fault };
}

/** The answer of a fault that takes the place of the operation, which then has no effect. */
export function replacement(fault: Fault): Answer | undefined {
  switch (fault.kind) {
    case "status": {
      const plain = failure(fault.status, STATUS_TEXT.get(fault.status) ?? "Error");
      const body = typeof fault.body === "object" ? writeJson(fault.body) : fault.body;
      return { status: fault.status, headers: { ...plain.headers, ...fault.headers }, body: body ?? plain.body };
    }
    case "html":
      return html(
        fault.status ?? 200,
        fault.body ?? "<!doctype html><title>Sign in</title><h1>Sign in to the network</h1>",
      );
    case "invalidJson":
      return { ...json({}), body: '{"id": oops}' };
    case "empty":
      return { ...json({}), body: "" };
    case "redirect":
      return { status: fault.status ?? 302, headers: { Location: fault.to }, body: "" };
    case "diagnostics":
      return invalidDefinition(fault.diagnostics, fault.status ?? 400, fault.code);
    case "expired":
      return failure(404, "Not Found: open environment not found");
    case "reset":
    case "disconnect":
    case "hang":
    case "hold":
    case "drip":
    case "truncated":
    case "oversized":
    case "rateLimit":
    case "warnings":
      return undefined;
  }
}

/** Returns true if the fault precedes the operation, so that nothing is opened, written or minted. */
export function strikesFirst(fault: Fault): boolean {
  if (fault.kind === "reset" || fault.kind === "disconnect" || fault.kind === "hang") return fault.at === "start";
  return fault.kind === "oversized" || replacement(fault) !== undefined;
}

/** The real answer as the fault changes it. */
export function alterAnswer(answer: Answer, fault: Fault | undefined): Answer {
  if (fault?.kind === "truncated") return { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) };
  if (fault?.kind !== "warnings") return answer;
  const list = fault.diagnostics.map(diagnosticJson);
  const diagnostics = writeJson(fault.shape === "object" ? { diagnostics: list } : list);
  const fields = parseObject(answer.body);
  if (fields === undefined) return answer;
  const comma = Object.keys(fields).length > 0 ? "," : "";
  return { ...answer, body: answer.body.replace(/\}$/, () => `${comma}"diagnostics":${diagnostics}}`) };
}

const STATUS_TEXT: ReadonlyMap<number, string> = new Map([
  [400, "Bad Request"],
  [401, "Unauthorized: No credentials provided or are invalid."],
  [403, "Forbidden"],
  [404, "Not Found"],
  [409, "Conflict"],
  [429, "Too Many Requests"],
  [500, "Internal Server Error"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
]);
