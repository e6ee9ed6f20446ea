/**
 * Reads, sets or removes one entry of `values`, such as `pulumiConfig`, in the text of an ESC definition. An edit keeps the rest of
 * the text byte for byte, and its comments. An entry is the line of its key and the lines of its value:
 *
 *     values:
 *       pulumiConfig:
 *         region: eu-central-1
 */
import { isMap } from "yaml";
import { applySplices, columnOf, endOfEntry, insertEntries, refuseUneditable, type Splice } from "./edit.ts";
import {
  childOf,
  type EntryPair,
  isLinked,
  keyOf,
  keyText,
  type Mapping,
  type Node,
  type ParsedDefinition,
} from "./nodes.ts";
import { parseDefinition, type Fingerprint, fingerprintOf, editError } from "./nodes.ts";
import { parseEdited, unusualFormError } from "./verify.ts";

/** The indent of one level, in spaces. */
const INDENT_STEP = 2;

/** An entry of `values`. */
export interface ValuesEntry {
  /** Is the same whatever quotes, styles and comments the value is written with. */
  readonly fingerprint: Fingerprint;
  /** The lines of the entry, without a line break at the end. */
  readonly text: string;
  /** The number of the first line, from 1. */
  readonly line: number;
}

/** Finds an entry of `values`. @returns undefined if there is none @throws SophiaError (esc-edit, 125) */
export function findEntry(yaml: string, key: string): ValuesEntry | undefined {
  const parsed = parseDefinition(yaml);
  const pair = findEntryPair(parsed, key);
  return pair === undefined ? undefined : toValuesEntry(parsed, pair);
}

/** Returns the entries of `values` by their keys. @throws SophiaError (esc-edit, 125), also if one does not begin on a line of its own */
export function readEntries(yaml: string): ReadonlyMap<string, ValuesEntry> {
  const parsed = parseDefinition(yaml);
  const pairs = findValues(parsed)?.items ?? [];
  return new Map(pairs.map((pair) => [keyOf(pair), toValuesEntry(parsed, pair)]));
}

function toValuesEntry(parsed: ParsedDefinition, pair: EntryPair): ValuesEntry {
  const { yaml } = parsed;
  const { start, end } = findEntryRange(parsed, pair);
  return {
    fingerprint: fingerprintOf(pair.value),
    text: yaml.slice(start, end).trimEnd(),
    line: yaml.slice(0, start).split("\n").length,
  };
}

/** Returns the fingerprint of a value. @param lines the lines of the value, without the key */
export function fingerprintOfLines(lines: readonly string[]): Fingerprint {
  return fingerprintOf(parseDefinition(lines.join("\n")).top);
}

/**
 * Sets the value of an entry, which is added if it does not exist.
 *
 * @param lines the lines of the value, without an indent
 * @throws SophiaError (esc-edit, 125) if the text cannot be changed safely. Its message quotes nothing of the text
 */
export function setEntry(yaml: string, key: string, lines: readonly string[]): string {
  const parsed = parseDefinition(yaml);
  const values = requireEditableValues(parsed);
  const formatEntry = (indent: number): string => {
    const inner = lines.map((line) => " ".repeat(indent + INDENT_STEP) + line);
    return [`${keyText(key)}:`, ...inner].join(parsed.eol);
  };
  const pair = findEntryPair(parsed, key);
  const splice =
    pair === undefined ? insertEntries(parsed, values, [formatEntry]) : replaceEntry(parsed, values, pair, formatEntry);
  return checkEdited(parsed, applySplices(yaml, [splice]), key, fingerprintOfLines(lines));
}

/**
 * Removes the lines of an entry of `values`. Comments above it stay. Returns the text as it is if there is no such entry.
 *
 * @throws SophiaError (esc-edit, 125) if the text cannot be changed safely, also if it is the only entry
 */
export function removeEntry(yaml: string, key: string): string {
  const parsed = parseDefinition(yaml);
  const pair = findEntryPair(parsed, key);
  if (pair === undefined) return yaml;
  return checkEdited(parsed, applySplices(yaml, [{ ...findEntryRange(parsed, pair), text: "" }]), key, undefined);
}

/**
 * Returns the splice that replaces the lines of an entry.
 *
 * @param formatEntry returns the new text for the indent of the key: the first line without that indent, and no line break at the end
 */
function replaceEntry(
  parsed: ParsedDefinition,
  values: Mapping,
  pair: EntryPair,
  formatEntry: (indent: number) => string,
): Splice {
  if (isLinked(pair.key) || isLinked(pair.value)) throw editError(`values.${keyOf(pair)} has an anchor or is an alias`);
  const { start, end } = findEntryRange(parsed, pair);
  const indent = columnOf(parsed, values.items[0]?.key);
  // The last line of a definition may have no line break.
  const hasLineBreak = parsed.yaml[end - 1] === "\n";
  return { start, end, text: " ".repeat(indent) + formatEntry(indent) + (hasLineBreak ? parsed.eol : "") };
}

/** Returns the mapping `values`. @throws SophiaError (esc-edit, 125) if it is missing, or not in block style */
function requireEditableValues(parsed: ParsedDefinition): Mapping {
  const values = findValues(parsed);
  if (values === undefined) throw editError("it has no values");
  if (values.flow === true) throw editError("values is written within braces");
  refuseUneditable(values, ["values"]);
  return values;
}

function findEntryPair(parsed: ParsedDefinition, key: string): EntryPair | undefined {
  return findValues(parsed)?.items.find((pair) => keyOf(pair) === key);
}

/** Returns the mapping `values`; undefined if there is none. */
function findValues({ top }: ParsedDefinition): Mapping | undefined {
  const values = top === undefined ? undefined : childOf(top, "values");
  return isMap<Node, Node | null>(values) ? values : undefined;
}

/**
 * Returns the offsets of an entry's lines: `end` is behind the last line break.
 *
 * @throws SophiaError (esc-edit, 125) if other text stands in front of the key in its line, such as `{` or `? `
 */
function findEntryRange(parsed: ParsedDefinition, pair: EntryPair): { readonly start: number; readonly end: number } {
  const keyStart = pair.key.range?.[0] ?? 0;
  const start = keyStart - columnOf(parsed, pair.key);
  if (parsed.yaml.slice(start, keyStart).trim() !== "") throw editError("values is written within braces");
  const contentEnd = endOfEntry(parsed, pair);
  const endsWithLineBreak = parsed.yaml[contentEnd - 1] === "\n";
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
function checkEdited(before: ParsedDefinition, edited: string, key: string, expected: Fingerprint | undefined): string {
  const after = parseEdited(edited);
  const entry = findEntryPair(after, key);
  const fingerprint = entry === undefined ? undefined : fingerprintOf(entry.value);
  const isExpected = JSON.stringify(fingerprint) === JSON.stringify(expected);
  if (!isExpected || serializeUnchanged(before, key) !== serializeUnchanged(after, key)) throw unusualFormError();
  return edited;
}

/**
 * Serializes what an edit of the entry must not change: the other keys of the definition, the other entries of `values`, and the
 * comments outside of the entry.
 */
function serializeUnchanged(parsed: ParsedDefinition, key: string): string {
  const pair = findEntryPair(parsed, key);
  const { start, end } = pair === undefined ? { start: 0, end: 0 } : findEntryRange(parsed, pair);
  const comments = parsed.comments
    .filter(({ position }) => position < start || position >= end)
    .map(({ text }) => text);
  const entries = (parsed.top?.items ?? []).map((topPair) => {
    const { value } = topPair;
    if (keyOf(topPair) !== "values" || !isMap<Node, Node | null>(value)) return fingerprintOfPair(topPair);
    const otherPairs = value.items.filter((valuesPair) => keyOf(valuesPair) !== key);
    return [fingerprintOf(topPair.key), ...otherPairs.map(fingerprintOfPair)];
  });
  return JSON.stringify([entries, comments]);
}

function fingerprintOfPair({ key, value }: EntryPair): readonly [key: Fingerprint, value: Fingerprint] {
  return [fingerprintOf(key), fingerprintOf(value)];
}
