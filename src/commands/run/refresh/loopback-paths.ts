/**
 * Decides which HTTP requests may get cloud credentials from this process (`--refresh`), and which path answers them. The cloud
 * SDKs in the program send these requests over loopback. Other users' processes, and web pages in a browser, can reach the same
 * server, so requests are checked here first. This file has no side effects.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHead } from "../../../broker/admit.ts";
import { valuesOf } from "../../../broker/header-fields.ts";
import type { LocalAnswer, LocalBodyReader } from "../../../broker/local-service.ts";

/** The beginning of all paths at which this process itself answers. */
export const FOLDER = "/sophia-run/";

/** The reason why a request gets no credentials. */
export interface Fault {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 503;
  /** The text that SDKs show to the user. */
  readonly message: string;
}

/** A path at which SDKs ask for credentials. */
export interface LoopbackPath {
  readonly method: "GET" | "POST";
  /** Answers a request that `answerRequest` has admitted. It must check the secret of the request itself. */
  readonly answer: (head: RequestHead) => LocalAnswer | LocalBodyReader;
  /** Returns the answer for a fault, in the form that the SDKs of this path show. */
  readonly fail: (fault: Fault) => LocalAnswer;
}

export interface LoopbackServices {
  /** The accepted values of `Host`, in lower case. A web page that has its own name for 127.0.0.1 sends another value. */
  readonly hosts: ReadonlySet<string>;
  /** True if the server has no other purpose (no `--broker`), so that it answers all other paths with 404. */
  readonly isAlone: boolean;
  readonly paths: ReadonlyMap<string, LoopbackPath>;
}

/** Answers a request for credentials; returns undefined for a request that the broker's admission must decide over. */
export function answerRequest(
  head: RequestHead,
  { hosts, isAlone, paths }: LoopbackServices,
): LocalAnswer | LocalBodyReader | undefined {
  const { method, target, rawHeaders, isUpgrade } = head;
  const path = paths.get(target);
  if (path === undefined) {
    const isForBroker = !isAlone && !target.startsWith(FOLDER);
    return isForBroker ? undefined : failOAuth({ status: 404, message: "there is nothing at this path" });
  }
  const [host, ...furtherHosts] = valuesOf(rawHeaders, "host");
  const isAddressedToUs = host !== undefined && furtherHosts.length === 0 && hosts.has(host.toLowerCase());
  // Browsers add these headers to the requests of web pages.
  const isFromWebPage = ["origin", "sec-fetch-site"].some((name) => valuesOf(rawHeaders, name).length > 0);
  if (!isAddressedToUs || isFromWebPage) {
    return path.fail({ status: 403, message: "the request is not addressed to 127.0.0.1" });
  }
  if (method !== path.method) return path.fail({ status: 405, message: `only ${path.method} is allowed here` });
  if (isUpgrade) return path.fail({ status: 400, message: "there is no other protocol here" });
  return path.answer(head);
}

/** Returns true if there is one header of this name, with this value. @param name in lower case */
export function hasHeader({ rawHeaders }: Pick<RequestHead, "rawHeaders">, name: string, value: string): boolean {
  const [sentValue, ...furtherValues] = valuesOf(rawHeaders, name);
  return sentValue !== undefined && furtherValues.length === 0 && isEqual(sentValue, value);
}

/** Compares two texts in a time that does not depend on them, so that a client cannot guess a secret step by step. */
export function isEqual(first: string, second: string): boolean {
  // `timingSafeEqual` needs buffers of the same length, which digests have.
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(first), digest(second));
}

/** The error codes of OAuth 2.0 (RFC 6749, sections 5.2 and 4.1.2.1). */
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

/** Returns an error answer of OAuth 2.0 (RFC 6749, section 5.2). @param error the code; by default the code for the status */
export function failOAuth({ status, message }: Fault, error = OAUTH_CODES[status]): LocalAnswer {
  return createJsonAnswer(status, { error, error_description: `sophia-run: ${message}` });
}

export function createJsonAnswer(status: number, content: Readonly<Record<string, string | number>>): LocalAnswer {
  return createAnswer(status, "application/json", JSON.stringify(content));
}

/** Returns an answer of text. It has no line break at its end, which SDKs would take for a part of it. */
export function createTextAnswer(body: string): LocalAnswer {
  return createAnswer(200, "text/plain; charset=utf-8", body);
}

function createAnswer(status: number, type: string, body: string): LocalAnswer {
  const headers = {
    "content-type": type,
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    connection: "close",
  };
  return { status, headers, body };
}
