/** The form of a JSON file that an edit keeps; pure. */
import type { FormattingOptions, Node } from "jsonc-parser";
import { membersOf } from "../../contract/file/positions.ts";

/** Returns the indent and the line breaks of a text, for `modify`. */
export function formattingOf(text: string): FormattingOptions {
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? "  ";
  const isTab = indent.startsWith("\t");
  return { insertSpaces: !isTab, tabSize: isTab ? 1 : indent.length, eol: lineBreakOf(text) };
}

export function lineBreakOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Returns true if an edit could have no effect: it changes the first of two members, and the last one counts. */
export function hasKeyTwice(object: Node | undefined): boolean {
  const keys = object === undefined ? [] : membersOf(object).map(({ key }) => key);
  return new Set(keys).size < keys.length;
}
