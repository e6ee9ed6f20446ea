/** The answers to SDKs that ask for AWS credentials (their "container provider"); pure. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHead } from "../../../broker/admit.ts";
import { valuesOf } from "../../../broker/fields.ts";
import type { LocalAnswer } from "../../../broker/local.ts";
import type { AwsCredentials } from "./aws-credentials.ts";

const FOLDER = "/sophia-run/";
export const PATH = `${FOLDER}aws-credentials`;

export interface AwsDoor {
  readonly token: string;
  /** The accepted values of `Host`, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** There is nothing else to ask for. */
  readonly isAlone: boolean;
  /** Returns the credentials of now; undefined if they have expired. */
  readonly credentials: () => AwsCredentials | undefined;
}

/** Answers a request for credentials; returns undefined for one that the broker decides over. */
export function awsAnswer({ method, target, rawHeaders }: RequestHead, door: AwsDoor): LocalAnswer | undefined {
  if (target !== PATH) {
    return door.isAlone || target.startsWith(FOLDER)
      ? failure(404, "NotFound", "there is nothing at this path")
      : undefined;
  }
  const [host, ...furtherHosts] = valuesOf(rawHeaders, "host");
  const isAddressed = host !== undefined && furtherHosts.length === 0 && door.hosts.has(host.toLowerCase());
  const isOfPage = ["origin", "sec-fetch-site"].some((name) => valuesOf(rawHeaders, name).length > 0);
  if (!isAddressed || isOfPage) return failure(403, "Forbidden", "the request is not addressed to 127.0.0.1");
  if (method !== "GET") return failure(405, "MethodNotAllowed", "only GET is allowed here");
  const [token, ...furtherTokens] = valuesOf(rawHeaders, "authorization");
  if (token === undefined || furtherTokens.length > 0 || !isEqual(token, door.token)) {
    return failure(401, "Unauthorized", "the token is not that of AWS_CONTAINER_AUTHORIZATION_TOKEN");
  }
  const credentials = door.credentials();
  if (credentials === undefined) {
    const message = "the AWS credentials have expired, and ESC gives no new ones: see the standard error of sophia-run";
    return failure(503, "CredentialsExpired", message);
  }
  const { keyId, secretKey, sessionToken, expiresAt } = credentials;
  return answer(200, {
    AccessKeyId: keyId,
    SecretAccessKey: secretKey,
    Token: sessionToken,
    // Without fractions of a second, which some SDKs do not parse.
    Expiration: new Date(Math.floor(expiresAt / 1000) * 1000).toISOString().replace(".000Z", "Z"),
  });
}

/** Compares in a time that does not depend on the texts. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** SDKs show code and message. */
function failure(status: number, code: string, message: string): LocalAnswer {
  return answer(status, { code, message: `sophia-run: ${message}` });
}

function answer(status: number, content: Readonly<Record<string, string>>): LocalAnswer {
  const body = JSON.stringify(content);
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    connection: "close",
  };
  return { status, headers, body };
}
