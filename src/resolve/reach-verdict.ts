/** Stage 6 of a start: whether the values meet the contract, and what the user is told. */
import { checkContract } from "../contract/check.ts";
import type { Contract, FormatCheck } from "../contract/model.ts";
import { noticesOf } from "./notices.ts";
import type { Start, Verdict } from "./start.ts";

/** Checks what the program would get against the contract. @throws SophiaError (contract-slow, 125) */
export async function reachVerdict(start: Omit<Start, "verdict">): Promise<Verdict> {
  const { environment, files, values } = start;
  const found = checkContract(values.required, values.selected, await formatsOf(files.contract));
  const isNested = found.length > 0 && environment.has("SOPHIA_BROKERED");
  const violations = isNested ? (await import("./brokered.ts")).ofOwnValues(found, start) : found;
  return { violations, notices: await noticesOf(start) };
}

/** Returns the check of values' formats, which the built-in contract has none of. */
async function formatsOf({ source }: Contract): Promise<FormatCheck> {
  if (source.kind === "built-in") return noFormat;
  return (await import("../contract/format.ts")).formatCheck();
}

function noFormat(): never {
  throw new TypeError("the built-in contract has a format");
}
