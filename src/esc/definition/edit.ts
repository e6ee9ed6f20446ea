/**
 * Sets variables in the YAML text of an ESC definition, for commands such as `sophia-run set`. The rest of the text, with its
 * comments, stays the same byte for byte.
 *
 *     values:
 *       environmentVariables:
 *         PORT: "8080"              # a plain value
 *         API_KEY:
 *           fn::secret: "…"         # a secret; ESC encrypts it
 *
 * The text is not written again from its tree. Instead, pieces of it are replaced (`Splice`), at positions that the yaml
 * package reports. Afterwards `verify` parses the result and proves that only the requested variables differ.
 */
import { isMap, isScalar, isSeq } from "yaml";
import { contentEnd, type EntryPair, isLinked, isNull, keyOf, keyText, type Mapping, type Node } from "./nodes.ts";
import { parseDefinition, type Parsed, quoted, refuse, withoutReferences } from "./nodes.ts";
import { type VariableChange, VARIABLES_PATH } from "./definition-variables.ts";
import { verify } from "./verify.ts";

/** The replacement of the characters from `start` up to, but not including, `end`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The indent of one level, in spaces. */
const STEP = 2;

/**
 * Returns the text with the changes. @throws SophiaError (esc-edit, 125) if it cannot be changed safely; it quotes no text
 */
export function setVariables(yaml: string, changes: readonly VariableChange[]): string {
  const parsed = parseDefinition(yaml);
  const edited = apply(yaml, splicesFor(parsed, changes));
  verify(parsed, edited, changes);
  return edited;
}

/** Returns the text with its pieces replaced. @throws SophiaError (esc-edit, 125) if two pieces overlap */
export function apply(yaml: string, edits: readonly Splice[]): string {
  let text = "";
  let copiedUpTo = 0;
  for (const { start, end, text: inserted } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < copiedUpTo) throw refuse("two places to change overlap");
    text += yaml.slice(copiedUpTo, start) + inserted;
    copiedUpTo = end;
  }
  return text + yaml.slice(copiedUpTo);
}

/** Returns the edits that make the changes: existing variables are replaced, others are added behind the last one. */
function splicesFor(parsed: Parsed, changes: readonly VariableChange[]): readonly Splice[] {
  const { top } = parsed;
  if (top === undefined) {
    // The definition is empty, or has only comments.
    const { yaml, eol } = parsed;
    const endsWithLineBreak = yaml === "" || yaml.endsWith("\n");
    return [insert(yaml.length, (endsWithLineBreak ? "" : eol) + blockText(VARIABLES_PATH, changes, 0, eol))];
  }
  const variables = findVariables(parsed, top, changes);
  if (!("map" in variables)) return variables.edits;
  const { map } = variables;
  const known = new Map(map.items.map((pair) => [keyOf(pair), pair]));
  const edits: Splice[] = [];
  const added: VariableChange[] = [];
  for (const change of changes) {
    const pair = known.get(change.name);
    if (pair === undefined) added.push(change);
    else edits.push(...replace(parsed, pair, change, map.flow === true));
  }
  const write = added.map((change) => (indent: number) => entryText(change, indent, parsed.eol, map.flow === true));
  return added.length === 0 ? edits : [...edits, ...add(parsed, map, write)];
}

/** Finds the mapping of the variables. If it is missing or empty, returns the edits that make it with the changes. */
function findVariables(
  parsed: Parsed,
  start: Mapping,
  changes: readonly VariableChange[],
): { readonly map: Mapping } | { readonly edits: readonly Splice[] } {
  let map = start;
  for (const [depth, key] of VARIABLES_PATH.entries()) {
    refuseUnfit(map, VARIABLES_PATH.slice(0, depth));
    const keysBelow = VARIABLES_PATH.slice(depth + 1);
    const inFlow = map.flow === true;
    const pair = map.items.find((entryPair) => keyOf(entryPair) === key);
    if (pair === undefined) {
      const write = (indent: number): string =>
        inFlow
          ? flowMapText([key, ...keysBelow], changes)
          : blockText([key, ...keysBelow], changes, indent, parsed.eol).trim();
      return { edits: add(parsed, map, [write]) };
    }
    const { value } = pair;
    if (isMap<Node, Node | null>(value) && (value.items.length > 0 || inFlow)) {
      map = value;
      continue;
    }
    const isEmpty = isNull(value) || (isMap(value) && value.items.length === 0);
    if (!isEmpty || isLinked(value)) throw refuse(`${VARIABLES_PATH.slice(0, depth + 1).join(".")} is not a mapping`);
    return { edits: fillEmpty(parsed, map, pair, keysBelow, changes) };
  }
  refuseUnfit(map, VARIABLES_PATH);
  return { map };
}

/** Refuses a mapping that cannot be changed safely. @throws SophiaError (esc-edit, 125) */
export function refuseUnfit(map: Mapping, path: readonly string[]): void {
  if (map.anchor !== undefined) throw refuse(`${path.join(".")} has an anchor, by which other places may have it`);
  if (map.items.some((pair) => keyOf(pair).startsWith("fn::"))) throw refuse(`${path.join(".")} is a function`);
}

/** Puts the changes into an entry without a value, or with `{}`. @param path the keys below that entry */
function fillEmpty(
  parsed: Parsed,
  map: Mapping,
  pair: EntryPair,
  path: readonly string[],
  changes: readonly VariableChange[],
): readonly Splice[] {
  const { colon, start, end } = valueRange(parsed, pair);
  if (map.flow === true) {
    const entries = (): string => changes.map((change) => entryText(change, 0, parsed.eol, true)).join(", ");
    const inner = path.length === 0 ? entries() : flowMapText(path, changes);
    return [{ start, end, text: `${spaceBefore(parsed, start)}{${inner}}` }];
  }
  const indent = columnOf(parsed, pair.key) + STEP;
  const children = blockText(path, changes, indent, parsed.eol);
  const lineBreak = lineEnd(parsed, end);
  return [
    // An empty `{}` on the line of the key is removed.
    ...(end > start ? [{ start: colon, end, text: "" }] : []),
    insert(lineBreak, parsed.eol + children.replace(/\r?\n$/, "")),
  ];
}

/** Returns the edit that adds entries behind those of a mapping. @param entries each returns its text for an indent */
export function add(parsed: Parsed, map: Mapping, entries: readonly ((indent: number) => string)[]): readonly Splice[] {
  const lastEntry = map.items.at(-1);
  const [mapStart = 0] = map.range ?? [];
  if (map.flow === true) {
    const text = entries.map((write) => write(0)).join(", ");
    // In `{A: 1}` the text is put behind the last entry, in `{}` behind the brace.
    return [
      lastEntry === undefined ? insert(mapStart + 1, text) : insert(pairEnd(lastEntry, parsed.yaml), `, ${text}`),
    ];
  }
  if (lastEntry === undefined) throw refuse("a mapping without entries");
  const indent = columnOf(parsed, map.items[0]?.key);
  const lines = entries.map((write) => " ".repeat(indent) + write(indent));
  const position = afterPair(parsed, lastEntry);
  const isLineStart = position > 0 && parsed.yaml[position - 1] === "\n";
  const text = lines.join(parsed.eol);
  return [insert(position, isLineStart ? text + parsed.eol : parsed.eol + text)];
}

/** Returns the edit that inserts a text and replaces nothing. */
function insert(position: number, text: string): Splice {
  return { start: position, end: position, text };
}

/** Returns the position behind the last line of an entry. A block scalar may end with blank lines of its own. */
export function afterPair(parsed: Parsed, pair: EntryPair): number {
  const leaf = lastLeaf(pair.value);
  if (!isScalar(leaf) || (leaf.type !== "BLOCK_LITERAL" && leaf.type !== "BLOCK_FOLDED")) {
    return lineEnd(parsed, pairEnd(pair, parsed.yaml));
  }
  // If the definition ends without a line break, ESC's parser (go-yaml) reads none in the value, but the yaml package reads one.
  if (!parsed.yaml.endsWith("\n") && leaf.range?.[1] === parsed.yaml.length && String(leaf.value).endsWith("\n")) {
    throw refuse("its last value would get a line break, since its last line has none");
  }
  return leaf.range?.[1] ?? 0;
}

/** Returns the last node of the text of a value; a flow collection (`{…}`, `[…]`) is one node. */
function lastLeaf(node: Node | null): Node | null {
  if (isMap<Node, Node | null>(node) && node.flow !== true) return lastLeaf(node.items.at(-1)?.value ?? null);
  return isSeq<Node>(node) && node.flow !== true ? lastLeaf(node.items.at(-1) ?? null) : node;
}

function replace(parsed: Parsed, pair: EntryPair, change: VariableChange, inFlow: boolean): readonly Splice[] {
  if (isLinked(pair.key) || isLinked(pair.value)) throw refuse("a value to replace has an anchor or is an alias");
  const secret = secretEntry(pair.value);
  // A secret stays secret, so only its argument is replaced.
  if (secret !== undefined && change.kind === "value") {
    const isSecretInFlow = inFlow || (isMap(pair.value) && pair.value.flow === true);
    return [replaceValue(parsed, secret, quoted(change.value), isSecretInFlow)];
  }
  return [replaceValue(parsed, pair, valueText(change), inFlow)];
}

/** Returns the entry `fn::secret: …` if it is all that a value has. */
function secretEntry(value: Node | null): EntryPair | undefined {
  if (!isMap<Node, Node | null>(value)) return undefined;
  const [first, ...others] = value.items;
  return first !== undefined && others.length === 0 && keyOf(first) === "fn::secret" ? first : undefined;
}

/** Replaces the value of an entry. Comments inside of a block value move behind the new value. */
function replaceValue(parsed: Parsed, pair: EntryPair, text: string, inFlow: boolean): Splice {
  const { colon, start, end } = valueRange(parsed, pair);
  const between = parsed.yaml.slice(colon, start);
  const comments = parsed.comments.filter(({ at }) => at >= start && at < end).map((comment) => ` ${comment.text}`);
  if (comments.length > 0 && inFlow) throw refuse("a value to replace has comments inside");
  const movedComments = comments.join("");
  // A block value moves to the line of its key, unless there is a comment between them.
  const isOnlyBlankBetween = /[\r\n]/.test(between) && between.trim() === "";
  if (isOnlyBlankBetween) return { start: colon, end, text: ` ${text}${movedComments}` };
  return { start, end, text: `${spaceBefore(parsed, start)}${text}${movedComments}` };
}

/** Returns the space that YAML requires between a colon and a value, if there is none at this position. */
function spaceBefore({ yaml }: Parsed, position: number): string {
  return /[:?]/.test(yaml[position - 1] ?? "") ? " " : "";
}

/** Returns the position behind the colon of an entry, and the range of its value, which is empty without a value. */
function valueRange({ yaml }: Parsed, pair: EntryPair): { colon: number; start: number; end: number } {
  const keyEnd = pair.key.range?.[1];
  const { value } = pair;
  const colon = keyEnd === undefined ? -1 : yaml.indexOf(":", keyEnd);
  // An explicit key (`? key`) may have anything between itself and the colon.
  if (colon === -1 || yaml.slice(keyEnd, colon).trim() !== "") throw refuse("an entry of an unusual form");
  const afterColon = colon + 1;
  const isEmpty = value === null || value.range?.[0] === value.range?.[1];
  if (isEmpty) return { colon: afterColon, start: afterColon, end: afterColon };
  const start = value.range?.[0] ?? 0;
  if (start < afterColon || value.tag !== undefined) throw refuse("an entry of an unusual form");
  return { colon: afterColon, start, end: contentEnd(value, yaml) };
}

/** Returns the position behind the key and the value of an entry. */
function pairEnd(pair: EntryPair, yaml: string): number {
  const { key, value } = pair;
  return Math.max(contentEnd(key, yaml), value === null ? 0 : contentEnd(value, yaml));
}

/** Returns the column of a key, which is the indent of its mapping in block style. A byte order mark takes no column. */
export function columnOf({ yaml }: Parsed, key: Node | undefined): number {
  const position = key?.range?.[0];
  if (position === undefined) throw refuse("an entry without a place");
  const lineStart = yaml.lastIndexOf("\n", position - 1) + 1;
  return position - (lineStart === 0 && yaml.startsWith("\uFEFF") ? 1 : lineStart);
}

/** Returns the position of the line break (LF or CRLF) that ends the line of a position. */
function lineEnd({ yaml }: Parsed, position: number): number {
  const lineFeed = yaml.indexOf("\n", position);
  if (lineFeed === -1) return yaml.length;
  return yaml[lineFeed - 1] === "\r" && lineFeed > position ? lineFeed - 1 : lineFeed;
}

/** Writes keys below each other, and below them the entries: `values:`, `  environmentVariables:`, `    A: "1"`. */
function blockText(path: readonly string[], changes: readonly VariableChange[], indent: number, eol: string): string {
  const keys = path.map((key, depth) => `${" ".repeat(indent + depth * STEP)}${key}:`);
  const column = indent + path.length * STEP;
  const entries = changes.map((change) => " ".repeat(column) + entryText(change, column, eol, false));
  return [...keys, ...entries, ""].join(eol);
}

/** Writes keys and entries on one line: `"values": {"environmentVariables": {"A": "1"}}`. */
function flowMapText(path: readonly string[], changes: readonly VariableChange[]): string {
  const inner = changes.map((change) => entryText(change, 0, "\n", true)).join(", ");
  return path.reduceRight((text, key) => `${quoted(key)}: {${text}}`, inner);
}

function entryText(change: VariableChange, indent: number, eol: string, inFlow: boolean): string {
  const key = inFlow ? quoted(change.name) : keyText(change.name);
  if (inFlow || change.kind === "node" || !change.secret) return `${key}: ${valueText(change)}`;
  return `${key}:${eol}${" ".repeat(indent + STEP)}fn::secret: ${quoted(change.value)}`;
}

function valueText(change: VariableChange): string {
  if (change.kind === "node") return change.text;
  return change.secret ? `{"fn::secret": ${quoted(change.value)}}` : quoted(withoutReferences(change.value));
}
