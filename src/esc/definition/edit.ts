/**
 * Sets variables in the YAML text that defines an ESC environment, for commands such as `sophia-run set`. The rest of the text,
 * with its comments, stays the same byte for byte.
 *
 *     values:
 *       environmentVariables:
 *         PORT: "8080"              # a plain value
 *         API_KEY:
 *           fn::secret: "…"         # a secret; ESC encrypts it
 *
 * The text is not generated from its syntax tree. Instead, pieces of it are replaced (`Splice`), at positions that the yaml
 * package reports. Afterwards `verifyEdit` parses the result and checks that only the requested variables differ.
 *
 * YAML writes a mapping in block style, as above, or in flow style, within braces: `{PORT: "8080", API_KEY: {…}}`. Both may be
 * mixed in one definition, so most functions here have a branch for each style (`isFlow`).
 */
import { isMap, isScalar, isSeq } from "yaml";
import { contentEnd, type EntryPair, isLinked, isNull, keyOf, keyText, type Mapping, type Node } from "./nodes.ts";
import { parseDefinition, type ParsedDefinition, quoted, editError, escapeReferences } from "./nodes.ts";
import { type VariableChange, VARIABLES_PATH } from "./definition-variables.ts";
import { verifyEdit } from "./verify.ts";

/** The replacement of the characters from `start` up to, but not including, `end`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The indent of one level in the text that this file writes, in spaces. */
const INDENT_STEP = 2;

/**
 * Returns the text with the changes.
 *
 * @throws SophiaError (esc-edit, 125) if the text cannot be changed safely. Its message quotes nothing of the text, which has
 *   secrets
 */
export function setVariables(yaml: string, changes: readonly VariableChange[]): string {
  const parsed = parseDefinition(yaml);
  const editedYaml = applySplices(yaml, splicesFor(parsed, changes));
  verifyEdit(parsed, editedYaml, changes);
  return editedYaml;
}

/** Returns the text with its pieces replaced. @throws SophiaError (esc-edit, 125) if two pieces overlap */
export function applySplices(yaml: string, splices: readonly Splice[]): string {
  let text = "";
  let copiedUpTo = 0;
  for (const { start, end, text: inserted } of splices.toSorted((a, b) => a.start - b.start)) {
    if (start < copiedUpTo) throw editError("two places to change overlap");
    text += yaml.slice(copiedUpTo, start) + inserted;
    copiedUpTo = end;
  }
  return text + yaml.slice(copiedUpTo);
}

/** Returns the splices for the changes: existing variables get a new value, and others are added after the last variable. */
function splicesFor(parsed: ParsedDefinition, changes: readonly VariableChange[]): readonly Splice[] {
  if (parsed.top === undefined) return [appendToEmpty(parsed, changes)];
  const variables = findVariables(parsed, parsed.top, changes);
  if (!("mapping" in variables)) return variables.splices;
  const { mapping } = variables;
  const isFlow = mapping.flow === true;
  const pairsByName = new Map(mapping.items.map((pair) => [keyOf(pair), pair]));
  const splices: Splice[] = [];
  const newEntries: WriteEntry[] = [];
  for (const change of changes) {
    const pair = pairsByName.get(change.name);
    if (pair === undefined) newEntries.push((indent) => entryText(change, indent, parsed.eol, isFlow));
    else splices.push(replaceVariable(parsed, pair, change, isFlow));
  }
  return newEntries.length === 0 ? splices : [...splices, insertEntries(parsed, mapping, newEntries)];
}

/** Returns the splice for a definition that is empty, or has only comments. */
function appendToEmpty({ yaml, eol }: ParsedDefinition, changes: readonly VariableChange[]): Splice {
  const endsWithLineBreak = yaml === "" || yaml.endsWith("\n");
  return insert(yaml.length, (endsWithLineBreak ? "" : eol) + blockText(VARIABLES_PATH, changes, 0, eol));
}

/**
 * Finds the mapping of the variables, by the keys of `VARIABLES_PATH`. If a key of this path is missing, or has no value, returns
 * the splices that write the rest of the path with the changes.
 */
function findVariables(
  parsed: ParsedDefinition,
  top: Mapping,
  changes: readonly VariableChange[],
): { readonly mapping: Mapping } | { readonly splices: readonly Splice[] } {
  let mapping = top;
  for (const [depth, key] of VARIABLES_PATH.entries()) {
    refuseUneditable(mapping, VARIABLES_PATH.slice(0, depth));
    const keysBelow = VARIABLES_PATH.slice(depth + 1);
    const isFlow = mapping.flow === true;
    const pair = mapping.items.find((entryPair) => keyOf(entryPair) === key);
    if (pair === undefined) {
      const path = [key, ...keysBelow];
      const write: WriteEntry = (indent) =>
        isFlow ? flowMapText(path, changes) : blockText(path, changes, indent, parsed.eol).trim();
      return { splices: [insertEntries(parsed, mapping, [write])] };
    }
    const { value } = pair;
    if (isMap<Node, Node | null>(value) && (value.items.length > 0 || isFlow)) {
      mapping = value;
      continue;
    }
    const isEmpty = isNull(value) || (isMap(value) && value.items.length === 0);
    if (!isEmpty || isLinked(value)) {
      throw editError(`${VARIABLES_PATH.slice(0, depth + 1).join(".")} is not a mapping`);
    }
    return { splices: fillEmpty(parsed, mapping, pair, keysBelow, changes) };
  }
  refuseUneditable(mapping, VARIABLES_PATH);
  return { mapping };
}

/** Refuses a mapping that cannot be changed safely. @throws SophiaError (esc-edit, 125) */
export function refuseUneditable(mapping: Mapping, path: readonly string[]): void {
  if (mapping.anchor !== undefined) {
    throw editError(`${path.join(".")} has an anchor, by which other places may have it`);
  }
  if (mapping.items.some((pair) => keyOf(pair).startsWith("fn::"))) throw editError(`${path.join(".")} is a function`);
}

/**
 * Returns the splices that put the changes into an entry without a value, or with `{}`.
 *
 * @param mapping the mapping with the entry
 * @param path the keys that must be written below the entry
 */
function fillEmpty(
  parsed: ParsedDefinition,
  mapping: Mapping,
  pair: EntryPair,
  path: readonly string[],
  changes: readonly VariableChange[],
): readonly Splice[] {
  const { afterColon, start, end } = valueRange(parsed, pair);
  if (mapping.flow === true) {
    const entries = (): string => changes.map((change) => entryText(change, 0, parsed.eol, true)).join(", ");
    const inner = path.length === 0 ? entries() : flowMapText(path, changes);
    return [{ start, end, text: `${spaceBefore(parsed, start)}{${inner}}` }];
  }
  const indent = columnOf(parsed, pair.key) + INDENT_STEP;
  const children = blockText(path, changes, indent, parsed.eol);
  return [
    // An empty `{}` on the line of the key is removed.
    ...(end > start ? [{ start: afterColon, end, text: "" }] : []),
    insert(lineEnd(parsed, end), parsed.eol + children.replace(/\r?\n$/, "")),
  ];
}

/** Writes an entry as text. The indent is that of the mapping in block style, and 0 in flow style. */
type WriteEntry = (indent: number) => string;

/** Returns the splice that adds entries after the last entry of a mapping. */
export function insertEntries(parsed: ParsedDefinition, mapping: Mapping, entries: readonly WriteEntry[]): Splice {
  const lastEntry = mapping.items.at(-1);
  if (mapping.flow === true) {
    const [mappingStart = 0] = mapping.range ?? [];
    const text = entries.map((write) => write(0)).join(", ");
    // In `{A: 1}` the text follows the last entry, in `{}` the brace.
    return lastEntry === undefined
      ? insert(mappingStart + 1, text)
      : insert(pairEnd(lastEntry, parsed.yaml), `, ${text}`);
  }
  if (lastEntry === undefined) throw editError("a mapping without entries");
  const indent = columnOf(parsed, mapping.items[0]?.key);
  const lines = entries.map((write) => " ".repeat(indent) + write(indent));
  const position = endOfEntry(parsed, lastEntry);
  const isLineStart = parsed.yaml[position - 1] === "\n";
  const text = lines.join(parsed.eol);
  return insert(position, isLineStart ? text + parsed.eol : parsed.eol + text);
}

/** Returns the splice that inserts a text and replaces nothing. */
function insert(position: number, text: string): Splice {
  return { start: position, end: position, text };
}

/**
 * Returns the position after the last line of an entry. A block scalar (`|` or `>`) may end with blank lines, which belong to its
 * value.
 *
 * @throws SophiaError (esc-edit, 125)
 */
export function endOfEntry(parsed: ParsedDefinition, pair: EntryPair): number {
  const leaf = lastLeaf(pair.value);
  if (!isScalar(leaf) || (leaf.type !== "BLOCK_LITERAL" && leaf.type !== "BLOCK_FOLDED")) {
    return lineEnd(parsed, pairEnd(pair, parsed.yaml));
  }
  // If the definition ends without a line break, ESC's parser (go-yaml) reads none in the value, but the yaml package reads one.
  if (!parsed.yaml.endsWith("\n") && leaf.range?.[1] === parsed.yaml.length && String(leaf.value).endsWith("\n")) {
    throw editError("its last value would get a line break, since its last line has none");
  }
  return leaf.range?.[1] ?? 0;
}

/** Returns the last node of the text of a value; a flow collection (`{…}`, `[…]`) is one node. */
function lastLeaf(node: Node | null): Node | null {
  if (isMap<Node, Node | null>(node) && node.flow !== true) return lastLeaf(node.items.at(-1)?.value ?? null);
  return isSeq<Node>(node) && node.flow !== true ? lastLeaf(node.items.at(-1) ?? null) : node;
}

/** Returns the splice that gives a variable a new value. @throws SophiaError (esc-edit, 125) */
function replaceVariable(parsed: ParsedDefinition, pair: EntryPair, change: VariableChange, isFlow: boolean): Splice {
  if (isLinked(pair.key) || isLinked(pair.value)) throw editError("a value to replace has an anchor or is an alias");
  const secret = secretEntry(pair.value);
  // A secret stays secret, so only its argument is replaced.
  if (secret !== undefined && change.kind === "value") {
    const isSecretFlow = isFlow || (isMap(pair.value) && pair.value.flow === true);
    return replaceValue(parsed, secret, quoted(change.value), isSecretFlow);
  }
  return replaceValue(parsed, pair, valueText(change), isFlow);
}

/** Returns the entry `fn::secret: …` of a value that has no other entry; otherwise undefined. */
function secretEntry(value: Node | null): EntryPair | undefined {
  if (!isMap<Node, Node | null>(value)) return undefined;
  const [first, ...others] = value.items;
  return first !== undefined && others.length === 0 && keyOf(first) === "fn::secret" ? first : undefined;
}

/** Returns the splice that replaces the value of an entry. Comments within a block value are moved to the end of the new value. */
function replaceValue(parsed: ParsedDefinition, pair: EntryPair, text: string, isFlow: boolean): Splice {
  const { afterColon, start, end } = valueRange(parsed, pair);
  const between = parsed.yaml.slice(afterColon, start);
  const comments = parsed.comments
    .filter(({ position }) => position >= start && position < end)
    .map((comment) => ` ${comment.text}`);
  if (comments.length > 0 && isFlow) throw editError("a value to replace has comments inside");
  const movedComments = comments.join("");
  // A block value moves to the line of its key, unless there is a comment between them.
  const isOnlyBlankBetween = /[\r\n]/.test(between) && between.trim() === "";
  if (isOnlyBlankBetween) return { start: afterColon, end, text: ` ${text}${movedComments}` };
  return { start, end, text: `${spaceBefore(parsed, start)}${text}${movedComments}` };
}

/** Returns the space that YAML requires between a colon and a value, if there is none at this position. */
function spaceBefore({ yaml }: ParsedDefinition, position: number): string {
  return /[:?]/.test(yaml[position - 1] ?? "") ? " " : "";
}

/** Returns the position after the colon of an entry, and the range of its value. The range is empty if there is no value. */
function valueRange(
  { yaml }: ParsedDefinition,
  pair: EntryPair,
): { readonly afterColon: number; readonly start: number; readonly end: number } {
  const keyEnd = pair.key.range?.[1];
  const { value } = pair;
  const colon = keyEnd === undefined ? -1 : yaml.indexOf(":", keyEnd);
  // An explicit key (`? key`) may have anything between itself and the colon.
  if (colon === -1 || yaml.slice(keyEnd, colon).trim() !== "") throw editError("an entry of an unusual form");
  const afterColon = colon + 1;
  const isEmpty = value === null || value.range?.[0] === value.range?.[1];
  if (isEmpty) return { afterColon, start: afterColon, end: afterColon };
  const start = value.range?.[0] ?? 0;
  if (start < afterColon || value.tag !== undefined) throw editError("an entry of an unusual form");
  return { afterColon, start, end: contentEnd(value, yaml) };
}

/** Returns the position after an entry: after its value, or after its key if there is no value. */
function pairEnd(pair: EntryPair, yaml: string): number {
  const { key, value } = pair;
  return Math.max(contentEnd(key, yaml), value === null ? 0 : contentEnd(value, yaml));
}

/** Returns the column of a key, which is the indent of its mapping in block style. A byte order mark takes no column. */
export function columnOf({ yaml }: ParsedDefinition, key: Node | undefined): number {
  const position = key?.range?.[0];
  if (position === undefined) throw editError("an entry without a place");
  const lineStart = yaml.lastIndexOf("\n", position - 1) + 1;
  return position - (lineStart === 0 && yaml.startsWith("\uFEFF") ? 1 : lineStart);
}

/** Returns the position of the line break (LF or CRLF) that ends the line of a position. */
function lineEnd({ yaml }: ParsedDefinition, position: number): number {
  const lineFeed = yaml.indexOf("\n", position);
  if (lineFeed === -1) return yaml.length;
  return yaml[lineFeed - 1] === "\r" && lineFeed > position ? lineFeed - 1 : lineFeed;
}

/**
 * Writes keys in block style, each below the last, and below them the entries: `values:`, `  environmentVariables:`, `    A: "1"`.
 */
function blockText(path: readonly string[], changes: readonly VariableChange[], indent: number, eol: string): string {
  const keys = path.map((key, depth) => `${" ".repeat(indent + depth * INDENT_STEP)}${key}:`);
  const column = indent + path.length * INDENT_STEP;
  const entries = changes.map((change) => " ".repeat(column) + entryText(change, column, eol, false));
  return [...keys, ...entries, ""].join(eol);
}

/** Writes keys and entries in flow style, on one line: `"values": {"environmentVariables": {"A": "1"}}`. */
function flowMapText(path: readonly string[], changes: readonly VariableChange[]): string {
  const inner = changes.map((change) => entryText(change, 0, "\n", true)).join(", ");
  return path.reduceRight((text, key) => `${quoted(key)}: {${text}}`, inner);
}

/** Writes an entry for a variable. In block style, a new secret gets two lines. */
function entryText(change: VariableChange, indent: number, eol: string, isFlow: boolean): string {
  const key = isFlow ? quoted(change.name) : keyText(change.name);
  if (isFlow || change.kind === "node" || !change.secret) return `${key}: ${valueText(change)}`;
  return `${key}:${eol}${" ".repeat(indent + INDENT_STEP)}fn::secret: ${quoted(change.value)}`;
}

function valueText(change: VariableChange): string {
  if (change.kind === "node") return change.text;
  return change.secret ? `{"fn::secret": ${quoted(change.value)}}` : quoted(escapeReferences(change.value));
}
