/** Edits of package.json that keep its formatting; pure. */
import { applyEdits, findNodeAtLocation, modify } from "jsonc-parser";
import { JsonSyntaxError, parseWithPositions } from "../../contract/file/positions.ts";
import { withoutMark } from "../../core/text.ts";
import { formattingOf, hasKeyTwice, lineBreakOf } from "./json-edits.ts";

/** A script by its name, with the command that it has, and the one that it gets. */
export interface ScriptChange {
  readonly name: string;
  /** Undefined for a script that does not exist. */
  readonly from: string | undefined;
  readonly to: string;
}

/**
 * Returns the text with other scripts; everything else stays as it is, character by character.
 *
 * @returns undefined if it is not JSON, has a key twice, or has other commands than `from`: another program has changed it
 */
export function withScripts(text: string, changes: readonly ScriptChange[]): string | undefined {
  const bare = withoutMark(text);
  const formattingOptions = formattingOf(bare);
  let edited = bare;
  for (const { name, from, to } of changes) {
    if (!isAsExpected(edited, name, from)) return undefined;
    edited = applyEdits(edited, modify(edited, ["scripts", name], to, { formattingOptions }));
  }
  return text.slice(0, text.length - bare.length) + edited;
}

function isAsExpected(text: string, name: string, expected: string | undefined): boolean {
  try {
    const root = parseWithPositions(text);
    const scripts = findNodeAtLocation(root, ["scripts"]);
    if (root.type !== "object" || (scripts !== undefined && scripts.type !== "object")) return false;
    if ([root, scripts].some(hasKeyTwice)) return false;
    const current: unknown = findNodeAtLocation(root, ["scripts", name])?.value;
    return current === expected;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return false;
  }
}

/** Returns a text with further lines at its end, in its own kind of line breaks; those that it has are left out. */
export function withLines(text: string, lines: readonly string[]): string {
  const lineBreak = lineBreakOf(text);
  const present = new Set(text.split(/\r\n|\n/));
  const added = lines.filter((line) => !present.has(line)).map((line) => line + lineBreak);
  const lead = text === "" || text.endsWith("\n") || added.length === 0 ? "" : lineBreak;
  return text + lead + added.join("");
}
