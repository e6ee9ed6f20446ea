/** The error for a contract that is a link to a place outside its repository. Loaded only for it. */
import { SophiaError } from "../../core/error.ts";
import { unbroken } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { EscapingLink, escapeWords } from "../../system/linked-file.ts";

/**
 * Makes the error (link-outside, 125) of an `EscapingLink`; returns any other error.
 *
 * @param name the path of the file @param first that of the contract that was found; both as messages show them
 */
export function escapingContract(name: string, first: string, error: unknown): unknown {
  if (!(error instanceof EscapingLink)) return error;
  const option = unbroken(`--contract ${shellWord(first)}`);
  const hint = `if you trust what it leads to, name the contract: ${option} (SOPHIA_CONTRACT)`;
  return new SophiaError({ code: "link-outside", message: escapeWords(name, error.escape), hint });
}
