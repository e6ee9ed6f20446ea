/** Finds, in the variables of a start, the AWS credentials that ESC has set, and the time at which they expire. */
import { enumerate } from "../../../core/text.ts";
import { AWS_EXPIRATION, AWS_KEYS, KEY_ID, SECRET_KEY, SESSION_TOKEN } from "./aws-variables.ts";
import { type AwsCredentials, type EscSession, findEscValue, type ReadStart } from "./cloud-credentials.ts";

/** Returns the credentials; if there are none to renew, returns the reason as a clause for messages. */
export function findAwsCredentials(start: ReadStart, session: EscSession): AwsCredentials | string {
  const valueOf = (name: string): string => findEscValue(start, name)?.value ?? "";
  const missing = AWS_KEYS.filter((name) => valueOf(name) === "");
  // The session token is the last of the keys, so it is the only one that is missing.
  if (missing[0] === SESSION_TOKEN) return `ESC sets no ${SESSION_TOKEN}, and keys without one do not expire`;
  if (missing.length > 0) return `ESC does not set ${enumerate(missing, "or")}`;
  const keys = { keyId: valueOf(KEY_ID), secretKey: valueOf(SECRET_KEY), sessionToken: valueOf(SESSION_TOKEN) };
  const statedEnd = Date.parse(valueOf(AWS_EXPIRATION));
  const expiry = Number.isNaN(statedEnd)
    ? { expiresAt: session.expiresAt, expirySource: "session" }
    : { expiresAt: statedEnd, expirySource: AWS_EXPIRATION };
  return { cloud: "aws", ...keys, openedAt: session.openedAt, ...expiry };
}
