/** Records of requests: who used which key for what. No header, no query, no body. */
import { valuesOf } from "./fields.ts";
import { withoutQuery } from "./route.ts";

export type Outcome = "answered" | "refused" | "failed" | "left";

export interface RequestRecord {
  /** The variable of the key; undefined if the request carried no dummy of this run. */
  readonly name: string | undefined;
  readonly method: string;
  /** The service's host and port; undefined if the request was not sent there. */
  readonly host: string | undefined;
  /** The service's; as the client has sent it if the request was refused. */
  readonly path: string;
  /** `left`: the client closed the connection before there was an answer. */
  readonly outcome: Outcome;
  /** The status that the client got; undefined if it got none. */
  readonly status: number | undefined;
  /** The code of a refusal, or of the broker's own failure. */
  readonly code?: string;
  /** From the request's head to the answer's. */
  readonly ms: number;
  /** Bytes of the body that the service got until then. */
  readonly bytesSent: number;
  /** The service's own name for the request. */
  readonly requestId?: string;
}

const MAX_ID = 128;
const ID = /^[\w.:/+=-]+$/;
const NOT_PRINTABLE = /[^\u0021-\u007e]/;

/** Returns the path of a target, also of one in absolute form, without its query, printable, and of any length. */
export function recordedPath(target: string): string {
  const path = withoutQuery(target.startsWith("/") ? target : target.replace(/^http:\/\/[^/]*/i, ""));
  return NOT_PRINTABLE.test(path) ? path.replaceAll(/[^\u0021-\u007e]/g, "?") : path;
}

/** The headers in which services name a request, the first of which counts. */
const ID_HEADERS = ["x-request-id", "request-id", "cf-ray"] as const;

/** Returns the service's own name for a request, from the headers in which services send it. */
export function requestIdIn(rawHeaders: readonly string[]): string | undefined {
  const id = ID_HEADERS.map((name) => valuesOf(rawHeaders, name))
    .find((values) => values.length > 0)
    ?.join(", ");
  return id !== undefined && ID.test(id) ? id.slice(0, MAX_ID) : undefined;
}
