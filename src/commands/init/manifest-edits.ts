/** Edits of package.json and .gitignore that keep everything else in the file; pure. */
import { applyEdits, findNodeAtLocation, modify } from "jsonc-parser";
import { JsonSyntaxError, parseWithPositions } from "../../contract/file/positions.ts";
import { withoutMark } from "../../core/text.ts";
import { formattingOf, hasDuplicateKey, lineBreakOf } from "./json-edits.ts";

/** A change of one script in package.json. */
export interface ScriptChange {
  readonly name: string;
  /** The command that the script has now; undefined for a script that does not exist. */
  readonly from: string | undefined;
  /** The command that the script gets. */
  readonly to: string;
}

/**
 * Returns the text of package.json with changed scripts. Every other character stays as it is.
 *
 * @returns undefined if the text is not JSON or has a key twice, or if a script is no longer `from`, since the file was edited
 *   by another program in the meantime
 */
export function withScripts(text: string, changes: readonly ScriptChange[]): string | undefined {
  const textWithoutMark = withoutMark(text);
  const mark = text.slice(0, text.length - textWithoutMark.length);
  const formattingOptions = formattingOf(textWithoutMark);
  let edited = textWithoutMark;
  for (const { name, from, to } of changes) {
    if (!isAsExpected(edited, name, from)) return undefined;
    edited = applyEdits(edited, modify(edited, ["scripts", name], to, { formattingOptions }));
  }
  return mark + edited;
}

/** Returns true if the script has the expected command, and if the text can be edited. */
function isAsExpected(text: string, name: string, expected: string | undefined): boolean {
  try {
    const root = parseWithPositions(text);
    const scripts = findNodeAtLocation(root, ["scripts"]);
    if (root.type !== "object" || (scripts !== undefined && scripts.type !== "object")) return false;
    if ([root, scripts].some(hasDuplicateKey)) return false;
    const current: unknown = findNodeAtLocation(root, ["scripts", name])?.value;
    return current === expected;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return false;
  }
}

/** Returns a text with further lines at its end, with the line breaks of the text. Lines that it already has are left out. */
export function withLines(text: string, lines: readonly string[]): string {
  const lineBreak = lineBreakOf(text);
  const presentLines = new Set(text.split(/\r\n|\n/));
  const addedLines = lines.filter((line) => !presentLines.has(line)).map((line) => line + lineBreak);
  const isLastLineOpen = text !== "" && !text.endsWith("\n");
  const separator = isLastLineOpen && addedLines.length > 0 ? lineBreak : "";
  return text + separator + addedLines.join("");
}
