/**
 * Credentials that an outer sophia-run renews (`--refresh`): its mark names the variables that it sets, which are not the caller's
 * own, and those that it withholds. Loaded only if there is a mark, and for `--refresh`.
 */
import type { Violation } from "../contract/contract-model.ts";
import type { Environment } from "../core/model.ts";

export const REFRESHED_VARIABLE = "SOPHIA_REFRESHED";

/** Returns the names of the variables that an outer sophia-run sets or withholds. */
export function refreshedNames(environment: Environment): readonly string[] {
  return (environment.get(REFRESHED_VARIABLE) ?? "").split(",").filter((name) => name !== "");
}

/** Leaves out violations by variables that the outer sophia-run withholds: it has checked them, and SDKs do without. */
export function excludeRefreshed(violations: readonly Violation[], environment: Environment): readonly Violation[] {
  const names = new Set(refreshedNames(environment));
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
