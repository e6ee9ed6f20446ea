/** Finds the access token for Google Cloud that ESC has given, and its end; pure. */
import { enumerate } from "../../../core/text.ts";
import { type EscSession, findEscValue, type GoogleCredentials, type ReadStart } from "./cloud-credentials.ts";
import { GOOGLE_EXPIRY, GOOGLE_TOKENS } from "./google-variables.ts";

/** The lifetime of a token if the provider of ESC has no `tokenLifetime`. */
const DEFAULT_LIFE_MS = 3_600_000;
/** The form in which `${gcp.login.expiry}` is written: 2026-12-02T07:30:00Z. `Date.parse` takes other forms for local time. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Returns the token; otherwise the reason why there is none to renew. */
export function findGoogleCredentials(start: ReadStart, { openedAt }: EscSession): GoogleCredentials | string {
  const token = GOOGLE_TOKENS.flatMap((name) => findEscValue(start, name) ?? [])[0]?.value;
  if (token === undefined) return `ESC does not set ${enumerate(GOOGLE_TOKENS, "or")}`;
  const expiryText = findEscValue(start, GOOGLE_EXPIRY)?.value.trim() ?? "";
  // A date that does not exist, such as the 32nd, has the form, but is no number.
  const statedEnd = RFC_3339.test(expiryText) ? Date.parse(expiryText) : Number.NaN;
  const end = Number.isNaN(statedEnd)
    ? { expiresAt: openedAt + DEFAULT_LIFE_MS, by: "default" }
    : { expiresAt: statedEnd, by: GOOGLE_EXPIRY };
  return { cloud: "google", token, openedAt, ...end };
}
