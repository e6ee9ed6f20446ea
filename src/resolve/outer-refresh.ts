/**
 * Reads the mark of an outer sophia-run, an ancestor of this process, that renews cloud credentials (`--refresh`):
 *
 *     SOPHIA_REFRESHED=AWS_CONTAINER_CREDENTIALS_FULL_URI,AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY
 *
 * The mark names the variables that the outer sophia-run sets, and those that it withholds because SDKs ask it for the credentials. The
 * file is loaded only if the mark is set, and for `--refresh`.
 */
import type { Violation } from "../contract/contract-model.ts";
import type { Environment } from "../core/model.ts";
import { namesInMark } from "../esc/settings/from-files.ts";

/** The variable with the mark. */
export const REFRESHED_VARIABLE = "SOPHIA_REFRESHED";

/** Returns the names of the variables that an outer sophia-run sets or withholds. */
export function readRefreshedNames(environment: Environment): readonly string[] {
  return namesInMark(environment, REFRESHED_VARIABLE);
}

/**
 * Leaves out the violations of variables that are missing because the outer sophia-run withholds them. It has checked them, and
 * SDKs do not need them.
 */
export function excludeRefreshed(violations: readonly Violation[], environment: Environment): readonly Violation[] {
  const names = new Set(readRefreshedNames(environment));
  return violations.filter((violation) => {
    switch (violation.kind) {
      case "missing":
      case "missing-when":
        return !names.has(violation.name);
      case "none-set":
        return !violation.rule.names.some((name) => names.has(name));
      case "some-missing":
        return violation.missing.some((name) => !names.has(name));
      case "several-set":
      case "malformed":
      case "placeholder":
      case "reference":
      case "refused":
      case "no-contract":
        return true;
    }
  });
}
