/** The access token for Google Cloud that ESC has given; pure. */
import { enumerate } from "../../../core/text.ts";
import { type GoogleCredentials, openedAtOf, type ReadStart, valueOfEsc } from "./cloud-credentials.ts";
import { GOOGLE_EXPIRY, GOOGLE_TOKENS } from "./google-variables.ts";

/** The life of a token for which the provider has no `tokenLifetime`. */
const DEFAULT_LIFE_MS = 3_600_000;
/** As `${gcp.login.expiry}` writes it: 2026-12-02T07:30:00Z. `Date.parse` takes other texts for times of this machine. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Returns the token, or the reason why there is none to renew. @param readAt when ESC was opened, or the cache read */
export function googleCredentials(start: ReadStart, readAt: number): GoogleCredentials | string {
  const token = GOOGLE_TOKENS.flatMap((name) => valueOfEsc(start, name) ?? [])[0]?.value;
  if (token === undefined) return `ESC does not set ${enumerate(GOOGLE_TOKENS, "or")}`;
  const openedAt = openedAtOf(start, readAt);
  const text = valueOfEsc(start, GOOGLE_EXPIRY)?.value.trim() ?? "";
  const stated = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(stated)
    ? { cloud: "google", token, openedAt, expiresAt: openedAt + DEFAULT_LIFE_MS, by: "default" }
    : { cloud: "google", token, openedAt, expiresAt: stated, by: GOOGLE_EXPIRY };
}
