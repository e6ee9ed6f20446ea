/** Compares the files that the program got from ESC with those that ESC returned when it was opened again (`--refresh`). */
import { declarationOf } from "../../../contract/check-contract.ts";
import type { Contract, FormatCheck } from "../../../contract/contract-model.ts";
import { describeFormatFault } from "../../../contract/contract-words.ts";
import type { ResolvedVariable } from "../../../core/model.ts";

/** The changes of files, by variable. The program keeps a file that is missing or refused as it is. */
export interface FileChanges {
  /** The contents that differ. */
  readonly contents: ReadonlyMap<string, string>;
  /** Variables whose files ESC no longer gives. */
  readonly missing: readonly string[];
  /** The rules of the contract that new contents break, in words. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Returns the changes between the program's files and those of a later opening.
 *
 * @param present the contents of the program's files, by variable
 * @param opened the files of the later opening
 * @throws SophiaError (contract-slow, 125) as the check of a start does
 */
export function compareFiles(
  present: ReadonlyMap<string, string>,
  opened: readonly ResolvedVariable[],
  contract: Contract,
  checkFormat: FormatCheck,
): FileChanges {
  const openedContents = new Map(opened.map(({ name, value }) => [name, value]));
  const contents = new Map<string, string>();
  const missing: string[] = [];
  const refused = new Map<string, string>();
  for (const [name, presentContent] of present) {
    const content = openedContents.get(name);
    if (content === undefined) missing.push(name);
    else if (content !== presentContent) {
      const declaration = declarationOf(contract, name);
      // Without `"as": "file"`, the format describes the path that the program gets, not the content.
      const format = declaration?.as === "file" ? declaration.format : undefined;
      const fault = format === undefined ? undefined : checkFormat(format, content, name);
      if (fault === undefined) contents.set(name, content);
      else refused.set(name, describeFormatFault(fault));
    }
  }
  return { contents, missing, refused };
}
