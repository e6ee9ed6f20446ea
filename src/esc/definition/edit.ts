/** Changes of a definition's text that keep all else byte for byte, proved by the yaml package afterwards. Pure. */
import { isMap, isScalar, isSeq } from "yaml";
import { contentEnd, type EntryPair, isLinked, isNull, keyOf, keyText, type Mapping, type Node } from "./nodes.ts";
import { parseDefinition, type Parsed, quoted, refuse, withoutReferences } from "./nodes.ts";
import { type Change, PATH } from "./definition-variables.ts";
import { verify } from "./verify.ts";

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const STEP = 2;

/** @throws SophiaError (esc-edit, 125) for a text that cannot be changed safely; it quotes nothing of it */
export function setVariables(yaml: string, changes: readonly Change[]): string {
  const parsed = parseDefinition(yaml);
  const edited = apply(yaml, splices(parsed, changes));
  verify(parsed, edited, changes);
  return edited;
}

/** Returns the text with its pieces replaced. @throws SophiaError (esc-edit, 125) if two overlap */
export function apply(yaml: string, edits: readonly Splice[]): string {
  let text = "";
  let from = 0;
  for (const { start, end, text: inserted } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < from) throw refuse("two places to change overlap");
    text += yaml.slice(from, start) + inserted;
    from = end;
  }
  return text + yaml.slice(from);
}

function splices(parsed: Parsed, changes: readonly Change[]): readonly Splice[] {
  const { top } = parsed;
  if (top === undefined) {
    const { yaml, eol } = parsed;
    const isEnded = yaml === "" || yaml.endsWith("\n");
    return [insert(yaml.length, (isEnded ? "" : eol) + nested(PATH, changes, 0, eol))];
  }
  const variables = descend(parsed, top, changes);
  if (!("map" in variables)) return variables.edits;
  const { map } = variables;
  const known = new Map(map.items.map((pair) => [keyOf(pair), pair]));
  const edits: Splice[] = [];
  const added: Change[] = [];
  for (const change of changes) {
    const pair = known.get(change.name);
    if (pair === undefined) added.push(change);
    else edits.push(...replace(parsed, pair, change, map.flow === true));
  }
  const write = added.map((change) => (indent: number) => entry(change, indent, parsed.eol, map.flow === true));
  return added.length === 0 ? edits : [...edits, ...add(parsed, map, write)];
}

/** Finds the mapping of the variables, or the edits that make it. */
function descend(
  parsed: Parsed,
  start: Mapping,
  changes: readonly Change[],
): { readonly map: Mapping } | { readonly edits: readonly Splice[] } {
  let map = start;
  for (const [depth, key] of PATH.entries()) {
    refuseUnfit(map, PATH.slice(0, depth));
    const rest = PATH.slice(depth + 1);
    const inFlow = map.flow === true;
    const pair = map.items.find((entryPair) => keyOf(entryPair) === key);
    if (pair === undefined) {
      const write = (indent: number): string =>
        inFlow ? flow([key, ...rest], changes) : nested([key, ...rest], changes, indent, parsed.eol).trim();
      return { edits: add(parsed, map, [write]) };
    }
    const { value } = pair;
    if (isMap<Node, Node | null>(value) && (value.items.length > 0 || inFlow)) {
      map = value;
      continue;
    }
    const isEmpty = isNull(value) || (isMap(value) && value.items.length === 0);
    if (!isEmpty || isLinked(value)) throw refuse(`${PATH.slice(0, depth + 1).join(".")} is not a mapping`);
    return { edits: fill(parsed, map, pair, rest, changes) };
  }
  refuseUnfit(map, PATH);
  return { map };
}

export function refuseUnfit(map: Mapping, path: readonly string[]): void {
  if (map.anchor !== undefined) throw refuse(`${path.join(".")} has an anchor, by which other places may have it`);
  if (map.items.some((pair) => keyOf(pair).startsWith("fn::"))) throw refuse(`${path.join(".")} is a function`);
}

function fill(
  parsed: Parsed,
  map: Mapping,
  pair: EntryPair,
  path: readonly string[],
  changes: readonly Change[],
): readonly Splice[] {
  const { colon, start, end } = valueRange(parsed, pair);
  if (map.flow === true) {
    const inner =
      path.length === 0 ? changes.map((change) => entry(change, 0, parsed.eol, true)).join(", ") : flow(path, changes);
    return [{ start, end, text: `${spaced(parsed, start)}{${inner}}` }];
  }
  const indent = columnOf(parsed, pair.key) + STEP;
  const children = nested(path, changes, indent, parsed.eol);
  const line = lineEnd(parsed, end);
  return [
    ...(end > start ? [{ start: colon, end, text: "" }] : []),
    insert(line, parsed.eol + children.replace(/\r?\n$/, "")),
  ];
}

/** Returns the edit that puts entries behind those of a mapping. */
export function add(parsed: Parsed, map: Mapping, entries: readonly ((indent: number) => string)[]): readonly Splice[] {
  const last = map.items.at(-1);
  const [from = 0] = map.range ?? [];
  if (map.flow === true) {
    const text = entries.map((write) => write(0)).join(", ");
    return [last === undefined ? insert(from + 1, text) : insert(pairEnd(last, parsed.yaml), `, ${text}`)];
  }
  if (last === undefined) throw refuse("a mapping without entries");
  const indent = columnOf(parsed, map.items[0]?.key);
  const lines = entries.map((write) => " ".repeat(indent) + write(indent));
  const at = afterPair(parsed, last);
  const isOwnLine = at > 0 && parsed.yaml[at - 1] === "\n";
  const text = lines.join(parsed.eol);
  return [insert(at, isOwnLine ? text + parsed.eol : parsed.eol + text)];
}

function insert(at: number, text: string): Splice {
  return { start: at, end: at, text };
}

/** Returns the position behind the last line of an entry; a block scalar may end with its own blank lines. */
export function afterPair(parsed: Parsed, pair: EntryPair): number {
  const leaf = lastLeaf(pair.value);
  if (!isScalar(leaf) || (leaf.type !== "BLOCK_LITERAL" && leaf.type !== "BLOCK_FOLDED")) {
    return lineEnd(parsed, pairEnd(pair, parsed.yaml));
  }
  // ESC's parser (go-yaml) reads no line break where the text of the definition has none; the yaml package reads one.
  if (!parsed.yaml.endsWith("\n") && leaf.range?.[1] === parsed.yaml.length && String(leaf.value).endsWith("\n")) {
    throw refuse("its last value would get a line break, since its last line has none");
  }
  return leaf.range?.[1] ?? 0;
}

function lastLeaf(node: Node | null): Node | null {
  if (isMap<Node, Node | null>(node) && node.flow !== true) return lastLeaf(node.items.at(-1)?.value ?? null);
  return isSeq<Node>(node) && node.flow !== true ? lastLeaf(node.items.at(-1) ?? null) : node;
}

function replace(parsed: Parsed, pair: EntryPair, change: Change, inFlow: boolean): readonly Splice[] {
  if (isLinked(pair.key) || isLinked(pair.value)) throw refuse("a value to replace has an anchor or is an alias");
  const argument = secretArgument(pair.value);
  // A secret stays secret.
  if (argument !== undefined && change.kind === "value") {
    return [splice(parsed, argument, quoted(change.value), inFlow || (isMap(pair.value) && pair.value.flow === true))];
  }
  return [splice(parsed, pair, valueText(change), inFlow)];
}

function secretArgument(value: Node | null): EntryPair | undefined {
  if (!isMap<Node, Node | null>(value)) return undefined;
  const [first, ...others] = value.items;
  return first !== undefined && others.length === 0 && keyOf(first) === "fn::secret" ? first : undefined;
}

function splice(parsed: Parsed, pair: EntryPair, text: string, inFlow: boolean): Splice {
  const { colon, start, end } = valueRange(parsed, pair);
  const between = parsed.yaml.slice(colon, start);
  const comments = parsed.comments.filter(({ at }) => at >= start && at < end).map((comment) => ` ${comment.text}`);
  if (comments.length > 0 && inFlow) throw refuse("a value to replace has comments inside");
  const remaining = comments.join("");
  // A block value moves to the line of its key, unless there is a comment between them.
  if (/[\r\n]/.test(between) && between.trim() === "") return { start: colon, end, text: ` ${text}${remaining}` };
  return { start, end, text: `${spaced(parsed, start)}${text}${remaining}` };
}

function spaced({ yaml }: Parsed, at: number): string {
  return /[:?]/.test(yaml[at - 1] ?? "") ? " " : "";
}

function valueRange({ yaml }: Parsed, pair: EntryPair): { colon: number; start: number; end: number } {
  const keyEnd = pair.key.range?.[1];
  const { value } = pair;
  const colon = keyEnd === undefined ? -1 : yaml.indexOf(":", keyEnd);
  // Between the key and the colon there may be anything if the key is explicit (`? key`).
  if (colon === -1 || yaml.slice(keyEnd, colon).trim() !== "") throw refuse("an entry of an unusual form");
  const after = colon + 1;
  if (value === null || value.range?.[0] === value.range?.[1]) return { colon: after, start: after, end: after };
  const start = value.range?.[0] ?? 0;
  if (start < after || value.tag !== undefined) throw refuse("an entry of an unusual form");
  return { colon: after, start, end: contentEnd(value, yaml) };
}

function pairEnd(pair: EntryPair, yaml: string): number {
  const { key, value } = pair;
  return Math.max(contentEnd(key, yaml), value === null ? 0 : contentEnd(value, yaml));
}

export function columnOf({ yaml }: Parsed, key: Node | undefined): number {
  const at = key?.range?.[0];
  if (at === undefined) throw refuse("an entry without a place");
  const start = yaml.lastIndexOf("\n", at - 1) + 1;
  return at - (start === 0 && yaml.startsWith("\uFEFF") ? 1 : start);
}

function lineEnd({ yaml }: Parsed, at: number): number {
  const next = yaml.indexOf("\n", at);
  if (next === -1) return yaml.length;
  return yaml[next - 1] === "\r" && next > at ? next - 1 : next;
}

function nested(path: readonly string[], changes: readonly Change[], indent: number, eol: string): string {
  const keys = path.map((key, depth) => `${" ".repeat(indent + depth * STEP)}${key}:`);
  const column = indent + path.length * STEP;
  const entries = changes.map((change) => " ".repeat(column) + entry(change, column, eol, false));
  return [...keys, ...entries, ""].join(eol);
}

function flow(path: readonly string[], changes: readonly Change[]): string {
  const inner = changes.map((change) => entry(change, 0, "\n", true)).join(", ");
  return path.reduceRight((text, key) => `${quoted(key)}: {${text}}`, inner);
}

function entry(change: Change, indent: number, eol: string, inFlow: boolean): string {
  const key = inFlow ? quoted(change.name) : keyText(change.name);
  if (inFlow || change.kind === "node" || !change.secret) return `${key}: ${valueText(change)}`;
  return `${key}:${eol}${" ".repeat(indent + STEP)}fn::secret: ${quoted(change.value)}`;
}

function valueText(change: Change): string {
  if (change.kind === "node") return change.text;
  return change.secret ? `{"fn::secret": ${quoted(change.value)}}` : quoted(withoutReferences(change.value));
}
