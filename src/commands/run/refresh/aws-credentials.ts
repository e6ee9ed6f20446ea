/** The AWS credentials that ESC has given; pure. */
import { enumerate } from "../../../core/text.ts";
import { SESSION_MS } from "../../../esc/settings/access-settings.ts";
import { AWS_EXPIRATION, AWS_KEYS, KEY_ID, SECRET_KEY, SESSION_TOKEN } from "./aws-variables.ts";
import { type AwsCredentials, openedAtOf, type ReadStart, valueOfEsc } from "./cloud-credentials.ts";

/** Returns the credentials, or the reason why there are none to renew. @param readAt when ESC was opened, or the cache read */
export function awsCredentials(start: ReadStart, readAt: number): AwsCredentials | string {
  const { sessionMs = SESSION_MS } = start.settings;
  const valueOf = (name: string): string => valueOfEsc(start, name)?.value ?? "";
  const missing = AWS_KEYS.filter((name) => valueOf(name) === "");
  if (missing[0] === SESSION_TOKEN) return `ESC sets no ${SESSION_TOKEN}, and keys without one do not expire`;
  if (missing.length > 0) return `ESC does not set ${enumerate(missing, "or")}`;
  const openedAt = openedAtOf(start, readAt);
  const stated = Date.parse(valueOf(AWS_EXPIRATION));
  const isStated = !Number.isNaN(stated);
  return {
    cloud: "aws",
    keyId: valueOf(KEY_ID),
    secretKey: valueOf(SECRET_KEY),
    sessionToken: valueOf(SESSION_TOKEN),
    openedAt,
    expiresAt: isStated ? stated : openedAt + sessionMs,
    by: isStated ? AWS_EXPIRATION : "session",
  };
}
