/**
 * Helpers for the edits of package.json and of agents' settings by `init`: they find the formatting of a JSON file, and whether
 * the file can be edited.
 */
import type { FormattingOptions, Node } from "jsonc-parser";
import { membersOf } from "../../contract/file/positions.ts";

/** Returns the indent and the line breaks of a text, as `modify` of jsonc-parser takes them. */
export function formattingOf(text: string): FormattingOptions {
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? "  ";
  const isTab = indent.startsWith("\t");
  return { insertSpaces: !isTab, tabSize: isTab ? 1 : indent.length, eol: lineBreakOf(text) };
}

/** Returns the line break that the text uses. A text without any gets `\n`. */
export function lineBreakOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/**
 * Returns true if an object has a key twice. Such a file must not be edited: the edit changes the first member of that
 * name, whereas programs use the last one.
 */
export function hasDuplicateKey(object: Node | undefined): boolean {
  const keys = object === undefined ? [] : membersOf(object).map(({ key }) => key);
  return new Set(keys).size < keys.length;
}
