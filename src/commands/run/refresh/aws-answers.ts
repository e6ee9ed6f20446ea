/** The answers to SDKs that ask for AWS credentials (their "container provider"); pure. */
import { formatSecond } from "../../../core/day.ts";
import { type Fault, FOLDER, hasHeader, jsonAnswer, type LoopbackPath } from "./loopback-paths.ts";
import type { AwsCredentials } from "./cloud-credentials.ts";

export const AWS_PATH = `${FOLDER}aws-credentials`;

const CODES: Readonly<Record<Fault["status"], string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  408: "RequestTimeout",
  413: "RequestEntityTooLarge",
  503: "CredentialsExpired",
};

/** @param credentials returns those of now; undefined if they have expired */
export function awsPath(token: string, credentials: () => AwsCredentials | undefined): LoopbackPath {
  return {
    method: "GET",
    // SDKs show code and message.
    fail,
    answer: (head) => {
      if (!hasHeader(head, "authorization", token)) {
        return fail({ status: 401, message: "the token is not that of AWS_CONTAINER_AUTHORIZATION_TOKEN" });
      }
      const current = credentials();
      if (current === undefined) {
        const message = "the AWS credentials have expired, and ESC gives no new ones";
        return fail({ status: 503, message: `${message}: see the standard error of sophia-run` });
      }
      const { keyId, secretKey, sessionToken, expiresAt } = current;
      return jsonAnswer(200, {
        AccessKeyId: keyId,
        SecretAccessKey: secretKey,
        Token: sessionToken,
        // Without fractions of a second, which some SDKs do not parse.
        Expiration: formatSecond(expiresAt),
      });
    },
  };
}

function fail({ status, message }: Fault) {
  return jsonAnswer(status, { code: CODES[status], message: `sophia-run: ${message}` });
}
