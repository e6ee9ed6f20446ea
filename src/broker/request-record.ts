/**
 * The record of a request, for the log of the broker: which key was used for what, and how the request ended. A record has no
 * headers, no query and no body.
 */
import { valuesOf } from "./header-fields.ts";
import { withoutQuery } from "./route.ts";

/** How a request ended. `refused` by the broker; `failed` at the service; `left` by the client. */
export type RequestOutcome = "answered" | "refused" | "failed" | "left";

export interface RequestRecord {
  /** The variable of the key; undefined if the request carried no dummy of this run. */
  readonly name: string | undefined;
  readonly method: string;
  /** The service's host and port; undefined if the request was not sent there. */
  readonly host: string | undefined;
  /** The path at the service; the path that the client sent if the request was refused. */
  readonly path: string;
  /** `left`: the client closed the connection before the answer. */
  readonly outcome: RequestOutcome;
  /** The status that the client got; undefined if it got none. */
  readonly status: number | undefined;
  /** The code of a refusal, or of the broker's own failure. */
  readonly code?: string;
  /** The time from the head of the request to the head of the answer. */
  readonly ms: number;
  /** The bytes of the body that the service got before the head of its answer. */
  readonly bytesSent: number;
  /** The identifier that the service gave the request. */
  readonly requestId?: string;
}

/** The longest identifier in a record. Longer ones are cut. */
const MAX_ID_LENGTH = 128;
const REQUEST_ID = /^[\w.:/+=-]+$/;
/** Matches a character that is not printable ASCII. */
const NOT_PRINTABLE = /[^\u0021-\u007e]/;

/** Returns the path of a target, which may be in absolute form, without the query; other characters become `?`. */
export function createRecordedPath(target: string): string {
  const path = withoutQuery(target.startsWith("/") ? target : target.replace(/^http:\/\/[^/]*/i, ""));
  return NOT_PRINTABLE.test(path) ? path.replaceAll(/[^\u0021-\u007e]/g, "?") : path;
}

/** The headers in which services name a request. The first of them that is present is used. */
const ID_HEADERS = ["x-request-id", "request-id", "cf-ray"] as const;

/** Returns the identifier that a service gave a request, from the headers of its answer. */
export function findRequestId(rawHeaders: readonly string[]): string | undefined {
  const id = ID_HEADERS.map((name) => valuesOf(rawHeaders, name))
    .find((values) => values.length > 0)
    ?.join(", ");
  return id !== undefined && REQUEST_ID.test(id) ? id.slice(0, MAX_ID_LENGTH) : undefined;
}
