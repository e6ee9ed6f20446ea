/**
 * Answers SDKs that ask for AWS credentials at the address in AWS_CONTAINER_CREDENTIALS_FULL_URI (their "container provider").
 *
 *     GET /sophia-run/aws-credentials      {"AccessKeyId": "ASIA…", "SecretAccessKey": "…",
 *     Authorization: TOKEN                  "Token": "…", "Expiration": "2026-12-02T08:00:00Z"}
 */
import { formatSecond } from "../../../core/day.ts";
import { type Fault, FOLDER, hasHeader, createJsonAnswer, type LoopbackPath } from "./loopback-paths.ts";
import type { AwsCredentials } from "./cloud-credentials.ts";

export const AWS_PATH = `${FOLDER}aws-credentials`;

/** The codes of errors, by HTTP status. SDKs show the code and the message to the user. */
const ERROR_CODES: Readonly<Record<Fault["status"], string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  408: "RequestTimeout",
  413: "RequestEntityTooLarge",
  503: "CredentialsExpired",
};

/**
 * Returns the path that answers requests for AWS credentials.
 *
 * @param token the value of AWS_CONTAINER_AUTHORIZATION_TOKEN
 * @param currentCredentials returns undefined if the credentials have expired
 */
export function createAwsPath(token: string, currentCredentials: () => AwsCredentials | undefined): LoopbackPath {
  return {
    method: "GET",
    fail,
    answer: (head) => {
      if (!hasHeader(head, "authorization", token)) {
        return fail({ status: 401, message: "the token is not that of AWS_CONTAINER_AUTHORIZATION_TOKEN" });
      }
      const credentials = currentCredentials();
      if (credentials === undefined) {
        const message = "the AWS credentials have expired, and ESC gives no new ones";
        return fail({ status: 503, message: `${message}: see the standard error of sophia-run` });
      }
      return createJsonAnswer(200, {
        AccessKeyId: credentials.keyId,
        SecretAccessKey: credentials.secretKey,
        Token: credentials.sessionToken,
        // Some SDKs do not parse fractions of a second.
        Expiration: formatSecond(credentials.expiresAt),
      });
    },
  };
}

function fail({ status, message }: Fault) {
  return createJsonAnswer(status, { code: ERROR_CODES[status], message: `sophia-run: ${message}` });
}
