/**
 * Answers SDKs of Google Cloud that ask for an access token. An SDK sends two requests. The first has the header of the credentials
 * file, and gets a subject token. The second exchanges the subject token for the access token (RFC 8693):
 *
 *     GET /sophia-run/google-subject-token       X-Sophia-Run-Token: HEADER      SUBJECT
 *     POST /sophia-run/google-token              grant_type=…&subject_token=SUBJECT      {"access_token":"ya29…",…}
 */
import type { LocalAnswer, UnreadBody } from "../../../broker/local-service.ts";
import { ACCESS_TOKEN_TYPE, GOOGLE_HEADER, TOKEN_EXCHANGE } from "./google-variables.ts";
import {
  failOAuth,
  FOLDER,
  hasHeader,
  isEqual,
  createJsonAnswer,
  type LoopbackPath,
  createTextAnswer,
} from "./loopback-paths.ts";

export const SUBJECT_TOKEN_PATH = `${FOLDER}google-subject-token`;
export const ACCESS_TOKEN_PATH = `${FOLDER}google-token`;

const MAX_BODY_BYTES = 64 * 1024;

/** An access token, and the time until it expires. */
export interface LivingToken {
  readonly token: string;
  readonly remainingMs: number;
}

/** The random secrets of this run, by which the program proves that it may have the access token. */
export interface GoogleSecrets {
  /** The value of the header in the credentials file. */
  readonly header: string;
  readonly subjectToken: string;
}

/** Returns the two paths that answer SDKs. @param currentToken returns the present access token; undefined if it has expired */
export function createGooglePaths(
  secrets: GoogleSecrets,
  currentToken: () => LivingToken | undefined,
): ReadonlyMap<string, LoopbackPath> {
  return new Map([
    [SUBJECT_TOKEN_PATH, createSubjectTokenPath(secrets)],
    [ACCESS_TOKEN_PATH, createAccessTokenPath(secrets, currentToken)],
  ]);
}

function createSubjectTokenPath({ header, subjectToken }: GoogleSecrets): LoopbackPath {
  return {
    method: "GET",
    fail: failOAuth,
    answer: (head) =>
      hasHeader(head, GOOGLE_HEADER.toLowerCase(), header)
        ? createTextAnswer(subjectToken)
        : failOAuth({ status: 401, message: `the header ${GOOGLE_HEADER} is not that of the credentials file` }),
  };
}

function createAccessTokenPath(
  { subjectToken }: GoogleSecrets,
  currentToken: () => LivingToken | undefined,
): LoopbackPath {
  return {
    method: "POST",
    fail: failOAuth,
    answer: () => ({
      maxBytes: MAX_BODY_BYTES,
      answerTo: (body) => exchangeToken(body, subjectToken, currentToken),
    }),
  };
}

/** Answers a form such as `grant_type=urn%3A…&subject_token=…&scope=…`. */
function exchangeToken(
  body: Buffer | UnreadBody,
  subjectToken: string,
  currentToken: () => LivingToken | undefined,
): LocalAnswer {
  if (body === "too-long") return failOAuth({ status: 413, message: "the request is longer than 64 KiB" });
  if (body === "too-late") return failOAuth({ status: 408, message: "the request did not end in time" });
  const form = new URLSearchParams(body.toString("utf8"));
  const [sentToken, ...furtherTokens] = form.getAll("subject_token");
  // This is checked first, so that a client without the token learns nothing.
  if (sentToken === undefined || furtherTokens.length > 0 || !isEqual(sentToken, subjectToken)) {
    return failOAuth({ status: 401, message: "the subject token is not that of this run" });
  }
  if (form.get("grant_type") !== TOKEN_EXCHANGE) {
    return failOAuth({ status: 400, message: "only tokens are exchanged here (RFC 8693)" }, "unsupported_grant_type");
  }
  const current = currentToken();
  // In the last second `expires_in` would be 0, and Google's library for Node.js would keep such a token for ever.
  if (current === undefined || current.remainingMs < 1000) {
    const message = "the Google Cloud credentials have expired, and ESC gives no new ones";
    return failOAuth({ status: 503, message: `${message}: see the standard error of sophia-run` });
  }
  return createJsonAnswer(200, {
    access_token: current.token,
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: "Bearer",
    expires_in: Math.floor(current.remainingMs / 1000),
  });
}
