/** Stage 6 of a start: whether the values meet the contract, and what the user is told. */
import { checkContract } from "../contract/check-contract.ts";
import { noticesOf } from "./start-notices.ts";
import type { Start, Verdict } from "./start.ts";

/** Checks what the program would get against the contract. @throws SophiaError (contract-slow, 125) */
export async function reachVerdict(start: Omit<Start, "verdict">): Promise<Verdict> {
  const { environment, files, values } = start;
  // The built-in contract has no formats.
  const isBuiltIn = files.contract.source.kind === "built-in";
  const checkFormat = isBuiltIn ? refuseFormat : (await import("../contract/format.ts")).formatCheck();
  const found = checkContract(values.required, values.selected, checkFormat);
  const isNested = found.length > 0 && environment.has("SOPHIA_BROKERED");
  const violations = isNested ? (await import("./outer-broker.ts")).ofOwnValues(found, start) : found;
  return { violations, notices: await noticesOf(start) };
}

function refuseFormat(): never {
  throw new TypeError("the built-in contract has a format");
}
