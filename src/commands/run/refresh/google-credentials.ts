/** Finds, in the variables of a start, the access token for Google Cloud that ESC has set, and the time at which it expires. */
import { enumerate } from "../../../core/text.ts";
import { type EscSession, findEscValue, type GoogleCredentials, type ReadStart } from "./cloud-credentials.ts";
import { GOOGLE_EXPIRY, GOOGLE_TOKENS } from "./google-variables.ts";

/** The lifetime of a token if the definition of the ESC environment sets no other one (`tokenLifetime` of the provider). */
const DEFAULT_LIFETIME_MS = 3_600_000;
/** Matches the form of `${gcp.login.expiry}`, 2026-12-02T07:30:00Z. `Date.parse` would take other forms for local time. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Returns the token; if there is none to renew, returns the reason as a clause for messages. */
export function findGoogleCredentials(start: ReadStart, { openedAt }: EscSession): GoogleCredentials | string {
  const token = GOOGLE_TOKENS.flatMap((name) => findEscValue(start, name) ?? [])[0]?.value;
  if (token === undefined) return `ESC does not set ${enumerate(GOOGLE_TOKENS, "or")}`;
  const expiryText = findEscValue(start, GOOGLE_EXPIRY)?.value.trim() ?? "";
  // `Date.parse` returns NaN for a date that does not exist, such as the 32nd.
  const statedEnd = RFC_3339.test(expiryText) ? Date.parse(expiryText) : Number.NaN;
  const expiry = Number.isNaN(statedEnd)
    ? { expiresAt: openedAt + DEFAULT_LIFETIME_MS, expirySource: "default" }
    : { expiresAt: statedEnd, expirySource: GOOGLE_EXPIRY };
  return { cloud: "google", token, openedAt, ...expiry };
}
