/** Reads all code below a folder, and notes which variables it reads and which declared names appear anywhere else. */
import { join } from "node:path";
import { shownPath } from "../../../contract/file/contract-text.ts";
import { type CodeExtent, lineBefore, visitCode } from "../../parts/code/code-files.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";
import type { VariableReads } from "./drift.ts";
import type { TurboFile } from "./turbo.ts";

export interface CodeSurvey {
  readonly extent: CodeExtent;
  /** The variables that the code reads, by name. */
  readonly reads: ReadonlyMap<string, VariableReads>;
  /** The searched names that no file reads or mentions. */
  readonly unmentioned: ReadonlySet<string>;
  readonly turboFiles: readonly TurboFile[];
}

/**
 * Reads the code below a folder. A name that is only mentioned, as in a list of names, may be read in a way that this program does
 * not recognize.
 *
 * @param searchedNames the names to search for in all files @param cwd the folder that shown paths begin at
 */
export async function surveyCode(root: string, searchedNames: readonly string[], cwd: string): Promise<CodeSurvey> {
  const reads = new Map<string, { required: boolean; readonly places: CodePlace[] }>();
  const turboFiles: TurboFile[] = [];
  const unmentioned = new Set(searchedNames);
  const noteMentions = (text: string): void => {
    for (const name of unmentioned) if (isMentioned(text, name)) unmentioned.delete(name);
  };
  const noteRead = (name: string, required: boolean, place: CodePlace): void => {
    const known = reads.get(name) ?? { required: false, places: [] };
    known.required ||= required;
    // Several reads in one line are one place.
    const previous = known.places.at(-1);
    if (previous?.file !== place.file || previous.line !== place.line) known.places.push(place);
    reads.set(name, known);
    unmentioned.delete(name);
  };
  const pathFor = (path: string): string => shownPath(join(root, path), cwd);
  const extent = await visitCode(root, {
    onCodeFile: ({ path, text, reads: readsOfFile }) => {
      const file = pathFor(path);
      for (const { name, isRequired, line } of readsOfFile) noteRead(name, isRequired, { file, line });
      noteMentions(text);
    },
    onOtherFile: (path, text) => {
      if (/(?:^|\/)turbo\.jsonc?$/.test(path)) turboFiles.push({ file: pathFor(path), text });
      else noteMentions(text);
    },
  });
  return { extent, reads, unmentioned, turboFiles };
}

/** The beginnings of lines that are comments in one of the languages. */
const COMMENT_LINE = /^\s*(?:\/\/|#|\*|\/\*|<!--|--|;)/;

/** Returns true if a text contains a name as a whole word, on a line that is not a comment. */
function isMentioned(text: string, name: string): boolean {
  for (let start = text.indexOf(name); start !== -1; start = text.indexOf(name, start + name.length)) {
    const isWholeWord = !/\w/.test(text.charAt(start - 1)) && !/\w/.test(text.charAt(start + name.length));
    if (isWholeWord && !COMMENT_LINE.test(lineBefore(text, start))) return true;
  }
  return false;
}
