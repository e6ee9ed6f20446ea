/** Edits the texts of package.json and .gitignore for `init`, and leaves everything else in them as it is. */
import { applyEdits, findNodeAtLocation, modify } from "jsonc-parser";
import { JsonSyntaxError, parseWithPositions } from "../../contract/file/positions.ts";
import { withoutMark } from "../../core/text.ts";
import { formattingOf, hasDuplicateKey, lineBreakOf } from "./json-edits.ts";

/** A change of one script in package.json. */
export interface ScriptChange {
  readonly name: string;
  /** The command that the script has now; undefined for a script that does not exist. */
  readonly currentCommand: string | undefined;
  /** The command that the script gets. */
  readonly newCommand: string;
}

/**
 * Returns the text of package.json with the new commands of scripts. Every other character stays as it is.
 *
 * @returns undefined if the text is not JSON or has a key twice, or if a script no longer has its `currentCommand`, since
 *   another program has edited the file in the meantime
 */
export function replaceScripts(text: string, changes: readonly ScriptChange[]): string | undefined {
  const textWithoutMark = withoutMark(text);
  const byteOrderMark = text.slice(0, text.length - textWithoutMark.length);
  const formattingOptions = formattingOf(textWithoutMark);
  let edited = textWithoutMark;
  for (const { name, currentCommand, newCommand } of changes) {
    if (!hasScript(edited, name, currentCommand)) return undefined;
    edited = applyEdits(edited, modify(edited, ["scripts", name], newCommand, { formattingOptions }));
  }
  return byteOrderMark + edited;
}

/** Returns true if the text can be edited, and the script has the expected command. */
function hasScript(text: string, name: string, expectedCommand: string | undefined): boolean {
  try {
    const root = parseWithPositions(text);
    const scripts = findNodeAtLocation(root, ["scripts"]);
    if (root.type !== "object" || (scripts !== undefined && scripts.type !== "object")) return false;
    if ([root, scripts].some(hasDuplicateKey)) return false;
    const command: unknown = findNodeAtLocation(root, ["scripts", name])?.value;
    return command === expectedCommand;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return false;
  }
}

/**
 * Returns a text with further lines at its end, with the line breaks of the text. Lines that it already has are left out.
 */
export function appendLines(text: string, lines: readonly string[]): string {
  const lineBreak = lineBreakOf(text);
  const presentLines = new Set(text.split(/\r\n|\n/));
  const addedLines = lines.filter((line) => !presentLines.has(line)).map((line) => line + lineBreak);
  const isLastLineOpen = text !== "" && !text.endsWith("\n");
  const separator = isLastLineOpen && addedLines.length > 0 ? lineBreak : "";
  return text + separator + addedLines.join("");
}
