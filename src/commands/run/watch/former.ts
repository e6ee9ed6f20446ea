/** Which values of former programs are still masked for the next one; pure. */
import { bytesToSearch, MOST_BYTES } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/model.ts";

/** The limit on the number of secrets that are masked, former ones included. */
const MOST_SECRETS = 1000;

/**
 * Adds the secrets of former programs, which files that the next one reads may hold, to its own. Its own are all in the
 * result: they must be within the limits of masking. The oldest others are dropped where there is no room.
 *
 * @param former the latest first
 * @returns the latest first
 */
export function withFormer(
  latest: readonly Secret[],
  former: readonly Secret[],
): { readonly secrets: readonly Secret[]; readonly dropped: number } {
  const values = new Set(latest.map(({ value }) => value));
  const others = former.filter((secret) => bytesToSearch(secret) > 0 && !values.has(secret.value));
  let bytes = latest.reduce((sum, secret) => sum + bytesToSearch(secret), 0);
  const room = MOST_SECRETS - latest.length;
  const end = others.findIndex((secret, index) => {
    bytes += bytesToSearch(secret);
    return index >= room || bytes > MOST_BYTES;
  });
  const kept = end === -1 ? others : others.slice(0, end);
  return { secrets: [...latest, ...kept], dropped: others.length - kept.length };
}
