/**
 * Parses YAML of other programs, of which `init` needs a few lines: the file of Doppler, and the list of packages of pnpm.
 */
import { parse } from "yaml";
import { attempt } from "../../../system/errors.ts";

/**
 * The limit on the length of a text, in characters. With a longer text, a hostile file could occupy the parser for seconds.
 */
const MAX_LENGTH = 32_768;
/** Matches a line with eight indicators, such as `- - - `. The parser's time grows with the cube of their number. */
const NESTED_LINE = /^[ \t]*(?:[-?:][ \t]+){8}/m;

/**
 * Parses a text such as `packages: ["apps/*"]`. Returns undefined if it is not YAML, too long, or nested too deeply in one
 * line.
 */
export function parseYaml(text: string): unknown {
  if (text.length > MAX_LENGTH || NESTED_LINE.test(text)) return undefined;
  return attempt((): unknown =>
    parse(text, { logLevel: "silent", maxAliasCount: 0, prettyErrors: false, uniqueKeys: false }),
  );
}

/**
 * Returns the lines of one top-level entry, from `packages:` up to the next key. Only these are parsed, since other
 * entries, such as the catalogs of pnpm, may be long.
 */
export function topLevelEntry(text: string, key: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  const start = lines.findIndex((line) => line.replaceAll(/["']/g, "").startsWith(`${key}:`));
  if (start === -1) return "";
  // List items may begin without an indent, and so may the closing bracket of a list in brackets.
  const nextKey = lines.findIndex((line, index) => index > start && /^[^\s#\]-]/.test(line));
  return lines.slice(start, nextKey === -1 ? undefined : nextKey).join("\n");
}
