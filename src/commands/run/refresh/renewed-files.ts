/** The files of ESC, as a later opening gives them; pure. */
import { declarationOf } from "../../../contract/check-contract.ts";
import type { Contract, FormatCheck } from "../../../contract/contract-model.ts";
import { faultWords } from "../../../contract/contract-words.ts";
import type { Resolved } from "../../../core/model.ts";

export interface FileChanges {
  /** The contents that differ, by variable. */
  readonly contents: ReadonlyMap<string, string>;
  /** Variables whose files ESC no longer gives. They stay as they were. */
  readonly missing: readonly string[];
  /** Variables whose new content breaks the contract, and the rule in words. They stay as they were. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Compares the files of the program with those of an opening.
 *
 * @param present the contents of the program's files, by variable
 * @throws SophiaError (contract-slow, 125) as the check of a start does
 */
export function fileChanges(
  present: ReadonlyMap<string, string>,
  given: readonly Resolved[],
  contract: Contract,
  checkFormat: FormatCheck,
): FileChanges {
  const byName = new Map(given.map(({ name, value }) => [name, value]));
  const contents = new Map<string, string>();
  const missing: string[] = [];
  const refused = new Map<string, string>();
  for (const [name, former] of present) {
    const content = byName.get(name);
    if (content === undefined) missing.push(name);
    else if (content !== former) {
      const declaration = declarationOf(contract, name);
      // Without "as" the declaration is about the path that the program gets.
      const format = declaration?.as === "file" ? declaration.format : undefined;
      const fault = format === undefined ? undefined : checkFormat(format, content, name);
      if (fault === undefined) contents.set(name, content);
      else refused.set(name, faultWords(fault));
    }
  }
  return { contents, missing, refused };
}
