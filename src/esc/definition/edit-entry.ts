/**
 * Sets or removes one entry below `values` in the text of an ESC definition, such as `pulumiConfig`. The rest of the text, with its
 * comments, stays the same byte for byte. An entry is a block of whole lines:
 *
 *     values:
 *       pulumiConfig:            # an entry: this line, and the lines below it
 *         region: eu-central-1
 */
import { isMap } from "yaml";
import { add, afterPair, apply, columnOf, refuseUnfit, type Splice } from "./edit.ts";
import { childOf, type EntryPair, isLinked, keyOf, keyText, type Mapping, type Node, type Parsed } from "./nodes.ts";
import { parseDefinition, type Print, printOf, refuse } from "./nodes.ts";
import { parseEdited, unusualForm } from "./verify.ts";

/** An entry of `values`. */
export interface ValuesEntry {
  /** The value, in a form for comparisons that does not depend on how YAML writes the value. */
  readonly print: Print;
  /** The lines of the entry, without a line break at the end. */
  readonly text: string;
  /** The number of the first line, from 1. */
  readonly line: number;
}

/** Finds an entry of `values`. @returns undefined if there is none @throws SophiaError (esc-edit, 125) */
export function entryOf(yaml: string, key: string): ValuesEntry | undefined {
  const parsed = parseDefinition(yaml);
  const pair = findEntry(parsed, key);
  return pair === undefined ? undefined : entryAt(parsed, pair);
}

/** Returns the entries of `values` by their keys. @throws SophiaError (esc-edit, 125), also if two share a line */
export function entriesOf(yaml: string): ReadonlyMap<string, ValuesEntry> {
  const parsed = parseDefinition(yaml);
  const values = parsed.top === undefined ? undefined : childOf(parsed.top, "values");
  if (!isMap<Node, Node | null>(values)) return new Map();
  return new Map(values.items.map((pair) => [keyOf(pair), entryAt(parsed, pair)]));
}

function entryAt(parsed: Parsed, pair: EntryPair): ValuesEntry {
  const { yaml } = parsed;
  const { start, end } = linesOf(parsed, pair);
  return {
    print: printOf(pair.value),
    text: yaml.slice(start, end).trimEnd(),
    line: yaml.slice(0, start).split("\n").length,
  };
}

/** Returns the form for comparisons of a value. @param lines the lines of the value, without the key */
export function printOfLines(lines: readonly string[]): Print {
  return printOf(parseDefinition(lines.join("\n")).top);
}

/**
 * Sets the value of an entry, which is added if it does not exist.
 *
 * @param lines the lines of the value, without an indent
 * @throws SophiaError (esc-edit, 125) for a text that cannot be changed safely; it quotes nothing of it
 */
export function setEntry(yaml: string, key: string, lines: readonly string[]): string {
  const parsed = parseDefinition(yaml);
  const values = valuesOf(parsed);
  const write = (indent: number): string => {
    const inner = lines.map((line) => " ".repeat(indent + STEP) + line);
    return [`${keyText(key)}:`, ...inner].join(parsed.eol);
  };
  const pair = findEntry(parsed, key);
  const edits = pair === undefined ? add(parsed, values, [write]) : [replaceLines(parsed, values, pair, write)];
  return verified(parsed, apply(yaml, edits), key, printOfLines(lines));
}

/** Removes an entry of `values` with its lines. @throws SophiaError (esc-edit, 125) */
export function removeEntry(yaml: string, key: string): string {
  const parsed = parseDefinition(yaml);
  const pair = findEntry(parsed, key);
  if (pair === undefined) return yaml;
  return verified(parsed, apply(yaml, [{ ...linesOf(parsed, pair), text: "" }]), key, undefined);
}

/** The indent of one level, in spaces. */
const STEP = 2;

/** Returns the edit that replaces the lines of an entry. @param write returns the new text for an indent */
function replaceLines(parsed: Parsed, values: Mapping, pair: EntryPair, write: (indent: number) => string): Splice {
  if (isLinked(pair.key) || isLinked(pair.value)) throw refuse(`values.${keyOf(pair)} has an anchor or is an alias`);
  const { start, end } = linesOf(parsed, pair);
  const indent = columnOf(parsed, values.items[0]?.key);
  // The last line of a definition may have no line break.
  const hasLineBreak = parsed.yaml[end - 1] === "\n";
  return { start, end, text: " ".repeat(indent) + write(indent) + (hasLineBreak ? parsed.eol : "") };
}

/** Returns the mapping `values`. @throws SophiaError (esc-edit, 125) if it is missing, or not in block style */
function valuesOf({ top }: Parsed): Mapping {
  const values = top === undefined ? undefined : childOf(top, "values");
  if (!isMap<Node, Node | null>(values)) throw refuse("it has no values");
  if (values.flow === true || top?.flow === true) throw refuse("values is written within braces");
  refuseUnfit(values, ["values"]);
  return values;
}

function findEntry(parsed: Parsed, key: string): EntryPair | undefined {
  const values = parsed.top === undefined ? undefined : childOf(parsed.top, "values");
  return isMap<Node, Node | null>(values) ? values.items.find((pair) => keyOf(pair) === key) : undefined;
}

/** Returns the whole lines of an entry. @throws SophiaError (esc-edit, 125) if others share its first line */
function linesOf(parsed: Parsed, pair: EntryPair): { readonly start: number; readonly end: number } {
  const keyStart = pair.key.range?.[0] ?? 0;
  const start = keyStart - columnOf(parsed, pair.key);
  if (parsed.yaml.slice(start, keyStart).trim() !== "") throw refuse("values is written within braces");
  const contentEnd = afterPair(parsed, pair);
  const endsWithLineBreak = contentEnd > 0 && parsed.yaml[contentEnd - 1] === "\n";
  if (endsWithLineBreak) return { start, end: contentEnd };
  const lineBreak = parsed.yaml.indexOf("\n", contentEnd);
  return { start, end: lineBreak === -1 ? parsed.yaml.length : lineBreak + 1 };
}

/**
 * Returns the edited text if only the entry differs.
 *
 * @param expected the new value of the entry; undefined if the entry is removed
 * @throws SophiaError (esc-edit, 125)
 */
function verified(before: Parsed, edited: string, key: string, expected: Print | undefined): string {
  const after = parseEdited(edited);
  const entry = findEntry(after, key);
  const print = entry === undefined ? undefined : printOf(entry.value);
  const isExpected = JSON.stringify(print) === JSON.stringify(expected);
  if (!isExpected || unchangedPart(before, key) !== unchangedPart(after, key)) throw unusualForm();
  return edited;
}

/** Returns all that must stay the same as one text for comparisons: every other entry, and the comments outside of the entry. */
function unchangedPart(parsed: Parsed, key: string): string {
  const pair = findEntry(parsed, key);
  const { start, end } = pair === undefined ? { start: 0, end: 0 } : linesOf(parsed, pair);
  const comments = parsed.comments.filter(({ at }) => at < start || at >= end).map(({ text }) => text);
  const entries = (parsed.top?.items ?? []).map((topPair) => {
    const { value } = topPair;
    if (keyOf(topPair) !== "values" || !isMap<Node, Node | null>(value)) return [printOf(topPair.key), printOf(value)];
    const otherPairs = value.items.filter((valuesPair) => keyOf(valuesPair) !== key);
    return [printOf(topPair.key), ...otherPairs.map((otherPair) => [printOf(otherPair.key), printOf(otherPair.value)])];
  });
  return JSON.stringify([entries, comments]);
}
