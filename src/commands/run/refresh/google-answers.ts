/**
 * The answers to SDKs of Google Cloud; pure. An SDK asks twice: with the header of the credentials file for a subject token, and
 * then for an access token in exchange for it (RFC 8693).
 */
import type { LocalAnswer, UnreadBody } from "../../../broker/local.ts";
import { ACCESS_TOKEN_TYPE, GOOGLE_HEADER, TOKEN_EXCHANGE } from "./google-variables.ts";
import { failOAuth, FOLDER, hasHeader, isEqual, jsonAnswer, type LoopbackPath, textAnswer } from "./loopback-paths.ts";

export const SUBJECT_TOKEN_PATH = `${FOLDER}google-subject-token`;
export const ACCESS_TOKEN_PATH = `${FOLDER}google-token`;

const MAX_BODY_BYTES = 64 * 1024;

/** An access token, and what remains of its life. */
export interface LivingToken {
  readonly token: string;
  readonly remainingMs: number;
}

export interface GoogleSecrets {
  /** The value of the header in the credentials file. */
  readonly header: string;
  readonly subjectToken: string;
}

/** @param current returns the token of now; undefined if it has expired */
export function googlePaths(
  { header, subjectToken }: GoogleSecrets,
  current: () => LivingToken | undefined,
): ReadonlyMap<string, LoopbackPath> {
  return new Map<string, LoopbackPath>([
    [
      SUBJECT_TOKEN_PATH,
      {
        method: "GET",
        fail: failOAuth,
        answer: (head) =>
          hasHeader(head, GOOGLE_HEADER.toLowerCase(), header)
            ? textAnswer(subjectToken)
            : failOAuth({ status: 401, message: `the header ${GOOGLE_HEADER} is not that of the credentials file` }),
      },
    ],
    [
      ACCESS_TOKEN_PATH,
      {
        method: "POST",
        fail: failOAuth,
        answer: () => ({
          maxBytes: MAX_BODY_BYTES,
          answerTo: (body) => exchange(body, subjectToken, current),
        }),
      },
    ],
  ]);
}

/** Answers a form such as `grant_type=urn%3A…&subject_token=…&scope=…`. */
function exchange(
  body: Buffer | UnreadBody,
  subjectToken: string,
  current: () => LivingToken | undefined,
): LocalAnswer {
  if (body === "too-long") return failOAuth({ status: 413, message: "the request is longer than 64 KiB" });
  if (body === "too-late") return failOAuth({ status: 408, message: "the request did not end in time" });
  const form = new URLSearchParams(body.toString("utf8"));
  const [sent, ...furtherSent] = form.getAll("subject_token");
  // Before anything else is looked at: who does not know the token learns nothing.
  if (sent === undefined || furtherSent.length > 0 || !isEqual(sent, subjectToken)) {
    return failOAuth({ status: 401, message: "the subject token is not that of this run" });
  }
  if (form.get("grant_type") !== TOKEN_EXCHANGE) {
    return failOAuth({ status: 400, message: "only tokens are exchanged here (RFC 8693)" }, "unsupported_grant_type");
  }
  const found = current();
  // Google's library for Node.js keeps a token with `expires_in: 0` for ever.
  if (found === undefined || found.remainingMs < 1000) {
    const message = "the Google Cloud credentials have expired, and ESC gives no new ones";
    return failOAuth({ status: 503, message: `${message}: see the standard error of sophia-run` });
  }
  return jsonAnswer(200, {
    access_token: found.token,
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: "Bearer",
    expires_in: Math.floor(found.remainingMs / 1000),
  });
}
