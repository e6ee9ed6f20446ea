/** The paths of the loopback server at which SDKs ask for credentials, and who may ask; pure. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHead } from "../../../broker/admit.ts";
import { valuesOf } from "../../../broker/fields.ts";
import type { LocalAnswer, LocalReading } from "../../../broker/local.ts";

/** All paths of sophia-run's own are below it. */
export const FOLDER = "/sophia-run/";

/** The reason for which a request gets no credentials. */
export interface Fault {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 503;
  /** For the user: SDKs show it. */
  readonly message: string;
}

export interface LoopbackPath {
  readonly method: "GET" | "POST";
  /** Returns the answer to a request that may be answered at all. */
  readonly answer: (head: RequestHead) => LocalAnswer | LocalReading;
  /** Returns the answer for a fault in the form that the SDKs of this path show. */
  readonly fail: (fault: Fault) => LocalAnswer;
}

export interface LoopbackDoor {
  /** The accepted values of `Host`, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** There is nothing else to ask for. */
  readonly isAlone: boolean;
  readonly paths: ReadonlyMap<string, LoopbackPath>;
}

/** Answers a request for credentials; returns undefined for one that the broker decides over. */
export function loopbackAnswer(head: RequestHead, door: LoopbackDoor): LocalAnswer | LocalReading | undefined {
  const { method, target, rawHeaders, isUpgrade } = head;
  const path = door.paths.get(target);
  if (path === undefined) {
    return door.isAlone || target.startsWith(FOLDER)
      ? failOAuth({ status: 404, message: "there is nothing at this path" })
      : undefined;
  }
  const [host, ...furtherHosts] = valuesOf(rawHeaders, "host");
  const isAddressed = host !== undefined && furtherHosts.length === 0 && door.hosts.has(host.toLowerCase());
  const isOfPage = ["origin", "sec-fetch-site"].some((name) => valuesOf(rawHeaders, name).length > 0);
  if (!isAddressed || isOfPage) {
    return path.fail({ status: 403, message: "the request is not addressed to 127.0.0.1" });
  }
  if (method !== path.method) return path.fail({ status: 405, message: `only ${path.method} is allowed here` });
  if (isUpgrade) return path.fail({ status: 400, message: "there is no other protocol here" });
  return path.answer(head);
}

/** Returns true if the one header of this name has this value. @param name in lower case */
export function hasHeader({ rawHeaders }: Pick<RequestHead, "rawHeaders">, name: string, value: string): boolean {
  const [sent, ...furtherSent] = valuesOf(rawHeaders, name);
  return sent !== undefined && furtherSent.length === 0 && isEqual(sent, value);
}

/** Compares in a time that does not depend on the texts. */
export function isEqual(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** The codes of RFC 6749, sections 5.2 and 4.1.2.1. */
const OAUTH_CODES: Readonly<Record<Fault["status"], string>> = {
  400: "invalid_request",
  401: "invalid_client",
  403: "access_denied",
  404: "invalid_request",
  405: "invalid_request",
  408: "invalid_request",
  413: "invalid_request",
  503: "temporarily_unavailable",
};

/** Makes an error as OAuth 2.0 has it (RFC 6749, section 5.2). @param error another code than that of the status */
export function failOAuth({ status, message }: Fault, error = OAUTH_CODES[status]): LocalAnswer {
  return jsonAnswer(status, { error, error_description: `sophia-run: ${message}` });
}

export function jsonAnswer(status: number, content: Readonly<Record<string, string | number>>): LocalAnswer {
  return answerOf(status, "application/json", JSON.stringify(content));
}

/** Makes an answer of text, without a line break at its end: no SDK removes one. */
export function textAnswer(body: string): LocalAnswer {
  return answerOf(200, "text/plain; charset=utf-8", body);
}

function answerOf(status: number, type: string, body: string): LocalAnswer {
  const headers = {
    "content-type": type,
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    connection: "close",
  };
  return { status, headers, body };
}
