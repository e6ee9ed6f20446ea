/** Stage 6 of a start: whether the values meet the contract, and what the user is told. */
import { checkContract, isSet } from "../contract/check-contract.ts";
import { noticesOf } from "./start-notices.ts";
import type { Start, Verdict } from "./start.ts";

/** Checks what the program would get against the contract. @throws SophiaError (contract-slow, 125; that of ESC, if it is required) */
export async function reachVerdict(start: Omit<Start, "verdict">): Promise<Verdict> {
  const { environment, files, values, store } = start;
  if (store.esc.kind === "unavailable" && store.esc.rejected !== undefined) {
    const { judgeRejected } = await import("./rejected-values.ts");
    const verdict = await judgeRejected(start, store.esc.rejected, store.esc.failure);
    if (verdict !== undefined) return { ...verdict, notices: await noticesOf(start) };
  }
  // The built-in contract has no formats.
  const isBuiltIn = files.contract.source.kind === "built-in";
  const checkFormat = isBuiltIn ? refuseFormat : (await import("../contract/format.ts")).formatCheck();
  const found = checkContract(values.required, values.selected, checkFormat);
  const isNested = found.length > 0 && environment.has("SOPHIA_BROKERED");
  if (isBuiltIn && found.length > 0 && isUnrelated(start)) {
    return { violations: [{ kind: "no-contract" }], notices: await noticesOf(start) };
  }
  const brokered = isNested ? (await import("./outer-broker.ts")).excludeBrokered(found, start) : found;
  const isRefreshed = brokered.length > 0 && environment.has("SOPHIA_REFRESHED");
  const violations = isRefreshed
    ? (await import("./outer-refresh.ts")).excludeRefreshed(brokered, environment)
    : brokered;
  return { violations, notices: await noticesOf(start) };
}

/**
 * Returns true if nothing suggests that the built-in contract is meant: ESC is not configured, and no source sets a variable that it
 * requires by name. Its others (`DATABASE_URL`, `OPENAI_API_KEY`) are those of many projects.
 */
function isUnrelated({ files: { contract }, store, values }: Omit<Start, "verdict">): boolean {
  return (
    store.esc.kind === "off" &&
    !contract.rules.some((rule) => rule.kind === "required" && isSet(values.resolution, rule.name))
  );
}

function refuseFormat(): never {
  throw new TypeError("the built-in contract has a format");
}
