/** Which texts a secret consists of, and which of them can be masked; pure. */
import { COMMON_WORDS } from "./common-words.ts";

/** If a value is masked, or why not. */
export type Fate = "masked" | "short" | "common" | "armour";

/** A value and what of it may be printed by itself. */
export type Part = "value" | "line" | "leaf";

/** In characters (code points). */
const SHORTEST_VALUE = 6;
const SHORTEST_LINE = 8;
/** JSON in JSON in JSON. */
const DEEPEST = 3;

/** The first and last lines of PEM (RFC 7468), of OpenSSH's and of PGP's keys. */
const ARMOUR = /^-{4,5} ?(?:BEGIN|END) [A-Z0-9 ]+ ?-{4,5}$/;

/** A line that is as secret as the value it names: `name: value`, `NAME=value`, `"name": "value",`; not base64. */
const NAMED = /^(?:- )?(?:export )?["']?[A-Za-z][\w.-]{0,63}["']?(?:: |=)\s*["']?([^=\s].*?)["']?,?$/;

/** Returns if a value is masked, or why not. */
export function fateOf(value: string | Uint8Array): Fate {
  const text = (typeof value === "string" ? value : Buffer.from(value).toString()).trim();
  if (isShorter(text, SHORTEST_VALUE)) return "short";
  if (COMMON_WORDS.has(text.toLowerCase())) return "common";
  return ARMOUR.test(text) ? "armour" : "masked";
}

/**
 * Returns the texts of a secret, each once: the value; without the white space around it; with other line ends, also of
 * those that stand in it as `\\n`; its lines; the strings in it if it is JSON, with their lines.
 */
export function textsOf(value: string): ReadonlyMap<string, Part> {
  const texts = new Map<string, Part>();
  if (fateOf(value) === "masked") collect(value, "value", texts, DEEPEST);
  return texts;
}

function collect(text: string, part: Part, texts: Map<string, Part>, depth: number): void {
  const add = (one: string, as: Part): void => void (texts.has(one) || texts.set(one, as));
  const trimmed = text.trim();
  for (const whole of text === trimmed ? [text] : [text, trimmed]) {
    add(whole, part);
    // Base64 of it is another one; otherwise line ends are alike.
    if (whole.includes("\r")) add(whole.replaceAll(/\r\n?/g, "\n"), part);
  }
  if (/[\r\n]/.test(trimmed)) {
    // A program may print a line without its indentation.
    for (const line of trimmed.split(/[\r\n]+/)) if (isSecretLine(line.trim())) add(line.trim(), "line");
  }
  if (depth > 0) {
    // As keys stand on one line of a .env file; programs put the line ends back.
    if (/\\n/.test(trimmed)) collect(trimmed.replaceAll(/(?:\\r)?\\n/g, "\n"), part, texts, depth - 1);
    for (const leaf of leavesOf(trimmed)) if (fateOf(leaf) === "masked") collect(leaf, "leaf", texts, depth - 1);
  }
}

function isSecretLine(line: string): boolean {
  if (isShorter(line, SHORTEST_LINE) || fateOf(line) !== "masked") return false;
  const named = NAMED.exec(line)?.[1];
  return named === undefined || fateOf(named) === "masked";
}

/** The strings of a text that is a JSON object, list or string. */
function leavesOf(text: string): readonly string[] {
  if (!/^[[{"]/.test(text)) return [];
  try {
    const leaves: string[] = [];
    JSON.parse(text, (_, value: unknown) => void (typeof value === "string" && leaves.push(value)));
    return leaves;
  } catch {
    // It only looks like JSON.
    return [];
  }
}

function isShorter(text: string, least: number): boolean {
  return text.length < least || (text.length < 2 * least && Array.from(text).length < least);
}
