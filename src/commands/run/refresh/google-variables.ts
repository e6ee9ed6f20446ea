/**
 * The variables of Google Cloud: those in which ESC gives an access token, and those by which the program finds the token. SDKs in
 * the program read a file that sends them to this process (`formatGoogleCredentials`). The command-line program gcloud reads a file
 * with the token.
 */
import type { VariableChanges } from "../../../broker/broker-variables.ts";

/** The variables in which ESC gives an access token. */
export const GOOGLE_TOKENS = ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"] as const;
/** The variable in which ESC may say when the token expires (RFC 3339). */
export const GOOGLE_EXPIRY = "GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY";

const CREDENTIALS_FILE = "GOOGLE_APPLICATION_CREDENTIALS";
const TOKEN_FILE = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE";
/** The variables that the program gets: the first is for SDKs, the second for gcloud. */
export const GOOGLE_FILES = [CREDENTIALS_FILE, TOKEN_FILE] as const;

/** The header that protects the subject token. Its value is random in each run. */
export const GOOGLE_HEADER = "X-Sophia-Run-Token";

/** Contains no project number: with a number, `google.auth.default()` of Python would ask Google for the project. */
const AUDIENCE = "//sophia-run/google";

/** The grant type of a token exchange, and the types of its tokens (RFC 8693, sections 2.1 and 3). */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt";

/**
 * Returns the changes of the program's variables.
 *
 * @param credentialsFile the path of a file with the content of {@link formatGoogleCredentials}
 * @param tokenFile the path of a file that contains only the access token
 */
export function createGoogleVariables(credentialsFile: string, tokenFile: string): VariableChanges {
  return {
    ...Object.fromEntries([...GOOGLE_TOKENS, GOOGLE_EXPIRY].map((name) => [name, undefined])),
    [CREDENTIALS_FILE]: credentialsFile,
    [TOKEN_FILE]: tokenFile,
  };
}

/**
 * Returns the content of the credentials file. By it an SDK first gets a subject token from this process, and then exchanges the
 * subject token for an access token, also with this process (google-answers.ts).
 *
 * @param header the value of {@link GOOGLE_HEADER}
 */
export function formatGoogleCredentials(subjectTokenUrl: string, accessTokenUrl: string, header: string): string {
  const file = {
    type: "external_account",
    audience: AUDIENCE,
    subject_token_type: SUBJECT_TOKEN_TYPE,
    token_url: accessTokenUrl,
    credential_source: { url: subjectTokenUrl, headers: { [GOOGLE_HEADER]: header }, format: { type: "text" } },
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
