/** YAML of other programs, of which init needs a few lines: the file of Doppler, and the packages of pnpm. */
import { parse } from "yaml";
import { attempt } from "../../../system/errors.ts";

/** In characters. The parser takes seconds for larger texts that are made for it. */
const LONGEST = 32_768;
/** Its time grows with the cube of the number of `? ` on a line, and such a file has none. */
const NESTED = /^[ \t]*(?:[-?:][ \t]+){8}/m;

/** Returns what of a text can be read; undefined if it is large, or begins a line with more than seven indicators. */
export function parseYaml(text: string): unknown {
  if (text.length > LONGEST || NESTED.test(text)) return undefined;
  return attempt((): unknown =>
    parse(text, { logLevel: "silent", maxAliasCount: 0, prettyErrors: false, uniqueKeys: false }),
  );
}

/** Returns the lines of an entry at the top of a text: the other entries, such as the catalogs of pnpm, may be long. */
export function topEntry(text: string, key: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  const begin = lines.findIndex((line) => line.replaceAll(/["']/g, "").startsWith(`${key}:`));
  if (begin === -1) return "";
  const length = lines.slice(begin + 1).findIndex((line) => /^[^\s#\]-]/.test(line));
  return lines.slice(begin, length === -1 ? undefined : begin + 1 + length).join("\n");
}
