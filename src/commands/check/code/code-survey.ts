/**
 * Reads all code below a folder for `check --code`, and notes which variables it reads and which names it only mentions.
 */
import { join } from "node:path";
import { shortenPath } from "../../../contract/file/contract-text.ts";
import { type CodeExtent, sliceLineBefore, visitCode } from "../../parts/code/code-files.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";
import type { VariableReads } from "./drift.ts";
import type { TurboFile } from "./turbo.ts";

export interface CodeSurvey {
  readonly extent: CodeExtent;
  /** The variables that the code reads, by name. */
  readonly reads: ReadonlyMap<string, VariableReads>;
  /** The searched names that no file reads or mentions. */
  readonly unmentioned: ReadonlySet<string>;
  /** The files turbo.json, whose lists of names are not mentions. */
  readonly turboFiles: readonly TurboFile[];
}

/**
 * Reads the code below a folder. It searches also for mere mentions of names, as in a list, since the code may read such a
 * variable in a way that this program does not recognize.
 *
 * @param searchedNames the names to search for in all files
 * @param cwd the folder at which shown paths begin
 */
export async function surveyCode(root: string, searchedNames: readonly string[], cwd: string): Promise<CodeSurvey> {
  const survey = new SurveyRecord(searchedNames);
  const shownPathOf = (path: string): string => shortenPath(join(root, path), cwd);
  const extent = await visitCode(root, {
    onCodeFile: ({ path, text, reads }) => {
      const file = shownPathOf(path);
      for (const { name, isRequired, line } of reads) survey.noteRead(name, isRequired, { file, line });
      survey.noteMentions(text);
    },
    onOtherFile: (path, text) => {
      if (/(?:^|\/)turbo\.jsonc?$/.test(path)) survey.turboFiles.push({ file: shownPathOf(path), text });
      else survey.noteMentions(text);
    },
  });
  const { reads, unmentioned, turboFiles } = survey;
  return { extent, reads, unmentioned, turboFiles };
}

/** The results of a survey so far. */
class SurveyRecord {
  readonly reads = new Map<string, { required: boolean; readonly places: CodePlace[] }>();
  readonly turboFiles: TurboFile[] = [];
  readonly unmentioned: Set<string>;

  constructor(searchedNames: readonly string[]) {
    this.unmentioned = new Set(searchedNames);
  }

  noteRead(name: string, isRequired: boolean, place: CodePlace): void {
    const readsOfName = this.reads.get(name) ?? { required: false, places: [] };
    readsOfName.required ||= isRequired;
    // Several reads in one line are one place.
    const lastPlace = readsOfName.places.at(-1);
    const isNewPlace = lastPlace?.file !== place.file || lastPlace.line !== place.line;
    if (isNewPlace) readsOfName.places.push(place);
    this.reads.set(name, readsOfName);
    this.unmentioned.delete(name);
  }

  noteMentions(text: string): void {
    for (const name of this.unmentioned) if (isMentioned(text, name)) this.unmentioned.delete(name);
  }
}

/** The beginnings of lines that are comments in one of the languages. */
const COMMENT_LINE = /^\s*(?:\/\/|#|\*|\/\*|<!--|--|;)/;

/** Returns true if a text contains a name as a whole word, on a line that is not a comment. */
function isMentioned(text: string, name: string): boolean {
  for (let start = text.indexOf(name); start !== -1; start = text.indexOf(name, start + name.length)) {
    const isWholeWord = !/\w/.test(text.charAt(start - 1)) && !/\w/.test(text.charAt(start + name.length));
    if (isWholeWord && !COMMENT_LINE.test(sliceLineBefore(text, start))) return true;
  }
  return false;
}
