/** Stage 6 of a start: decides whether the values meet the contract, and collects the notices for the user. */
import { checkContract, isSet } from "../contract/check-contract.ts";
import type { Violation } from "../contract/contract-model.ts";
import { collectNotices } from "./start-notices.ts";
import type { Start, Verdict } from "./start.ts";

/**
 * Checks the variables that the program would get against the contract.
 *
 * @throws SophiaError (contract-slow, 125) if a pattern of the contract takes too long; the error of ESC if it is required and
 *   refused its values by a schema that the contract does not explain
 */
export async function reachVerdict(start: Omit<Start, "verdict">): Promise<Verdict> {
  const { environment, files, values, store } = start;
  if (store.esc.kind === "unavailable" && store.esc.rejected !== undefined) {
    const { judgeRejectedValues } = await import("./rejected-values.ts");
    // Without a violation the values of the other sources decide, as if ESC were not available.
    const verdict = await judgeRejectedValues(start, store.esc.rejected, store.esc.failure);
    if (verdict !== undefined) return { ...verdict, notices: await collectNotices(start) };
  }
  // The built-in contract has no formats, so that the code that checks them need not be loaded.
  const isBuiltIn = files.contract.source.kind === "built-in";
  const checkFormat = isBuiltIn ? failOnFormat : (await import("../contract/format.ts")).createFormatCheck();
  let violations: readonly Violation[] = checkContract(values.checkedContract, values.selected, checkFormat);
  if (isBuiltIn && violations.length > 0 && isBuiltInUnrelated(start)) {
    return { violations: [{ kind: "no-contract" }], notices: await collectNotices(start) };
  }
  // An outer sophia-run has put dummies and addresses in place of some values, and withholds others.
  if (violations.length > 0 && environment.has("SOPHIA_BROKERED")) {
    violations = (await import("./outer-broker.ts")).excludeBrokered(violations, start);
  }
  if (violations.length > 0 && environment.has("SOPHIA_REFRESHED")) {
    violations = (await import("./outer-refresh.ts")).excludeRefreshed(violations, environment);
  }
  return { violations, notices: await collectNotices(start) };
}

/**
 * Returns true if nothing suggests that the user means the built-in contract: ESC is not configured, and no source sets a variable
 * that this contract requires. Its other variables (`DATABASE_URL`, `OPENAI_API_KEY`) are those of many projects.
 */
function isBuiltInUnrelated({ files: { contract }, store, values }: Omit<Start, "verdict">): boolean {
  return (
    store.esc.kind === "off" &&
    !contract.rules.some((rule) => rule.kind === "required" && isSet(values.resolution, rule.name))
  );
}

function failOnFormat(): never {
  throw new TypeError("the built-in contract has a format");
}
