/** The variables and the file by which SDKs of Google Cloud ask sophia-run for access tokens; pure. */
import type { Changes } from "../../../broker/broker-variables.ts";

/** The variables in which ESC gives an access token. */
export const GOOGLE_TOKENS = ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"] as const;
/** The variable in which ESC may say when the token expires (RFC 3339). */
export const GOOGLE_EXPIRY = "GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY";

const CREDENTIALS_FILE = "GOOGLE_APPLICATION_CREDENTIALS";
const TOKEN_FILE = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE";
/** The variables that the program gets: the first is for SDKs, the second for gcloud. */
export const GOOGLE_FILES = [CREDENTIALS_FILE, TOKEN_FILE] as const;

/** The header that protects the subject token; the value is random in each run. */
export const GOOGLE_HEADER = "X-Sophia-Run-Token";

/** Names no project by its number: with one, `google.auth.default()` of Python asks Google for the project. */
const AUDIENCE = "//sophia-run/google";

/** The grant type of a token exchange, and the type of its tokens (RFC 8693, sections 2.1 and 3). */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt";

/** @param credentialsFile the path of {@link googleFile} @param tokenFile the path of a file with the access token alone */
export function googleVariables(credentialsFile: string, tokenFile: string): Changes {
  return {
    ...Object.fromEntries([...GOOGLE_TOKENS, GOOGLE_EXPIRY].map((name) => [name, undefined])),
    [CREDENTIALS_FILE]: credentialsFile,
    [TOKEN_FILE]: tokenFile,
  };
}

/**
 * Returns the content of the file by which an SDK first gets a subject token from us, and then exchanges it for an access token,
 * with us as well. @param header the value of {@link GOOGLE_HEADER}
 */
export function googleFile(subjectTokenUrl: string, tokenUrl: string, header: string): string {
  const file = {
    type: "external_account",
    audience: AUDIENCE,
    subject_token_type: SUBJECT_TOKEN_TYPE,
    token_url: tokenUrl,
    credential_source: { url: subjectTokenUrl, headers: { [GOOGLE_HEADER]: header }, format: { type: "text" } },
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
