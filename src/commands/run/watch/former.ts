import { bytesToSearch, MOST_BYTES } from "../../../masking/masking.ts";
import type { Secret } from "../../../masking/model.ts";

/** Limit on the number of masked secrets, former ones included. */
const MOST_SECRETS = 1000;

/**
 * Adds the secrets of former programs, which files may still contain, to the latest ones, which must be within the limits
 * of masking. The oldest beyond the limits are dropped. `former` and the result begin with the newest.
 */
export function withFormer(
  latest: readonly Secret[],
  former: readonly Secret[],
): { readonly secrets: readonly Secret[]; readonly dropped: number } {
  const values = new Set(latest.map(keyOf));
  const others = former.filter((secret) => bytesToSearch(secret) > 0 && !values.has(keyOf(secret)));
  let bytes = latest.reduce((sum, secret) => sum + bytesToSearch(secret), 0);
  const end = others.findIndex((secret, index) => {
    bytes += bytesToSearch(secret);
    return latest.length + index >= MOST_SECRETS || bytes > MOST_BYTES;
  });
  const kept = end === -1 ? others : others.slice(0, end);
  return { secrets: [...latest, ...kept], dropped: others.length - kept.length };
}

function keyOf({ value }: Secret): string {
  return Buffer.from(value).toString("latin1");
}
