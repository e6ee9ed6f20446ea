/** Sets or removes one entry of `values`, a block of lines, and keeps all else byte for byte. Pure. */
import { isMap } from "yaml";
import { add, afterPair, apply, columnOf, refuseUnfit, type Splice } from "./edit.ts";
import { childOf, type EntryPair, isLinked, keyOf, keyText, type Mapping, type Node, type Parsed } from "./nodes.ts";
import { parseDefinition, type Print, printOf, refuse } from "./nodes.ts";
import { parseEdited, unusualForm } from "./verify.ts";

/** An entry of `values`. */
export interface ValuesEntry {
  /** Its value, in a form that does not depend on how it is written. */
  readonly print: Print;
  /** Its lines, without a line end at the last one. */
  readonly text: string;
  /** The number of its first line, from 1. */
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

/** Returns the comparable form that lines of a value have. @param lines without the key */
export function printOfLines(lines: readonly string[]): Print {
  return printOf(parseDefinition(lines.join("\n")).top);
}

/**
 * Puts the lines below a key of `values`, in place of those that it has.
 * @param lines those of the value, without an indent
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
  const edits = pair === undefined ? add(parsed, values, [write]) : [replacement(parsed, values, pair, write)];
  return verified(parsed, apply(yaml, edits), key, printOfLines(lines));
}

/** Removes an entry of `values` with its lines. @throws SophiaError (esc-edit, 125) */
export function removeEntry(yaml: string, key: string): string {
  const parsed = parseDefinition(yaml);
  const pair = findEntry(parsed, key);
  if (pair === undefined) return yaml;
  return verified(parsed, apply(yaml, [{ ...linesOf(parsed, pair), text: "" }]), key, undefined);
}

const STEP = 2;

function replacement(parsed: Parsed, values: Mapping, pair: EntryPair, write: (indent: number) => string): Splice {
  if (isLinked(pair.key) || isLinked(pair.value)) throw refuse(`values.${keyOf(pair)} has an anchor or is an alias`);
  const { start, end } = linesOf(parsed, pair);
  const indent = columnOf(parsed, values.items[0]?.key);
  const isEnded = parsed.yaml[end - 1] === "\n";
  return { start, end, text: " ".repeat(indent) + write(indent) + (isEnded ? parsed.eol : "") };
}

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
  const at = pair.key.range?.[0] ?? 0;
  const start = at - columnOf(parsed, pair.key);
  if (parsed.yaml.slice(start, at).trim() !== "") throw refuse("values is written within braces");
  const content = afterPair(parsed, pair);
  const next = parsed.yaml.indexOf("\n", content);
  const isAtLineEnd = content > 0 && parsed.yaml[content - 1] === "\n";
  return { start, end: isAtLineEnd ? content : next === -1 ? parsed.yaml.length : next + 1 };
}

/** Returns the edited text if only the entry differs. @throws SophiaError (esc-edit, 125) */
function verified(before: Parsed, edited: string, key: string, wanted: Print | undefined): string {
  const after = parseEdited(edited);
  const entry = findEntry(after, key);
  const print = entry === undefined ? undefined : printOf(entry.value);
  const isWanted = JSON.stringify(print) === JSON.stringify(wanted);
  if (!isWanted || unchangedPart(before, key) !== unchangedPart(after, key)) throw unusualForm();
  return edited;
}

/** Returns a text of all that must stay: every entry but this one, and the comments outside of it. */
function unchangedPart(parsed: Parsed, key: string): string {
  const pair = findEntry(parsed, key);
  const { start, end } = pair === undefined ? { start: 0, end: 0 } : linesOf(parsed, pair);
  const comments = parsed.comments.filter(({ at }) => at < start || at >= end).map(({ text }) => text);
  const entries = (parsed.top?.items ?? []).map((outer) => {
    const { value } = outer;
    if (keyOf(outer) !== "values" || !isMap<Node, Node | null>(value)) return [printOf(outer.key), printOf(value)];
    const inner = value.items.filter((one) => keyOf(one) !== key);
    return [printOf(outer.key), ...inner.map((one) => [printOf(one.key), printOf(one.value)])];
  });
  return JSON.stringify([entries, comments]);
}
