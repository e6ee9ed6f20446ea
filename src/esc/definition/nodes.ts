/**
 * Parses definitions of ESC environments, and writes values as a definition writes them. The yaml package has the tree.
 * Pure.
 */
import { isAlias, isMap, isScalar, isSeq, Lexer, parseAllDocuments, visit } from "yaml";
import type { Alias, Document, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { SophiaError } from "../../core/error.ts";
import { unicodeEscape } from "../../core/text.ts";

export type Node = Scalar | Mapping | YAMLSeq | Alias;
export type Mapping = YAMLMap<Node, Node | null>;
export type EntryPair = Pair<Node, Node | null>;

/** A definition as text and as a tree. `top` is undefined if it has no entries. `at` is the position of a comment. */
export interface Parsed {
  readonly yaml: string;
  readonly top: Mapping | undefined;
  readonly comments: readonly { readonly at: number; readonly text: string }[];
  readonly eol: "\n" | "\r\n";
}

/** The words that some YAML readers take for booleans or null. */
const SPECIAL = /^(?:true|false|null|y|n|yes|no|on|off)$/i;
/** The characters that YAML forbids or takes for line breaks, and that JSON does not escape. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNPRINTABLE = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

/** Parses a definition. @throws SophiaError (esc-edit, 125) for a text that cannot be changed safely */
export function parseDefinition(yaml: string): Parsed {
  // The parser's own check for unique keys (`uniqueKeys`) compares each key with all others, which takes quadratic time.
  const options = { intAsBigInt: true, logLevel: "silent", stringKeys: false, uniqueKeys: false } as const;
  const parsed = parseAllDocuments(yaml, options);
  const documents = Array.isArray(parsed) ? parsed : [];
  if (documents.length > 1) throw refuse("it is more than one document");
  const [document] = documents;
  // The message of the parser is not shown: it quotes the text, which may contain values.
  const [error] = document?.errors ?? [];
  const line = error === undefined ? lineOfRepeatedKey(document, yaml) : error.linePos?.[0].line;
  if (error !== undefined || line !== undefined) {
    throw refuse(`it is not valid YAML${line === undefined ? "" : ` (line ${line})`}`);
  }
  const contents = document?.contents ?? null;
  const map = isMap<Node, Node | null>(contents) ? contents : undefined;
  if (map === undefined && contents !== null && !(isScalar(contents) && contents.value === null)) {
    throw refuse("it is not a mapping");
  }
  const hasEntries = map !== undefined && (map.items.length > 0 || map.flow === true);
  return {
    yaml,
    top: hasEntries ? map : undefined,
    comments: commentsOf(yaml),
    eol: yaml.includes("\r\n") ? "\r\n" : "\n",
  };
}

/** Returns the line of the first key that its mapping already has, which YAML forbids (1.2.2, 3.2.1.1). */
function lineOfRepeatedKey(document: Document.Parsed | undefined, yaml: string): number | undefined {
  let position: number | undefined;
  if (document === undefined) return undefined;
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value)) position ??= key.range?.[0] ?? 0;
        keys.add(key.value);
      }
      return position === undefined ? undefined : visit.BREAK;
    },
  });
  return position === undefined ? undefined : yaml.slice(0, position).split("\n").length;
}

/** Finds the comments with their positions. The tree of the yaml package does not have them all. */
function commentsOf(yaml: string): Parsed["comments"] {
  const comments: { at: number; text: string }[] = [];
  let position = yaml.startsWith("\uFEFF") ? 1 : 0;
  let isScalarText = false;
  for (const token of new Lexer().lex(yaml)) {
    // The lexer's marks for a document, for the end of a flow collection, and for a scalar are not in the text.
    if (token === "\u0002" || token === "\u0018" || token === "\u001F") {
      isScalarText = token === "\u001F";
      continue;
    }
    if (!isScalarText && token.startsWith("#")) comments.push({ at: position, text: token });
    isScalarText = false;
    position += token.length;
  }
  return comments;
}

/** Returns the error (esc-edit, 125) for a definition that must be changed by hand. */
export function refuse(why: string): SophiaError {
  return new SophiaError({
    code: "esc-edit",
    message: `the definition is not changed: ${why}`,
    hint: "change it by hand: pulumi env edit",
  });
}

/** Returns the key of an entry; empty if it is not a scalar. */
export function keyOf({ key }: EntryPair): string {
  return isScalar(key) ? String(key.value) : "";
}

/** Returns the value of a key in a mapping; undefined if the node is no mapping or lacks the key. */
export function childOf(node: Node | null | undefined, key: string): Node | null | undefined {
  return isMap<Node, Node | null>(node) ? node.items.find((pair) => keyOf(pair) === key)?.value : undefined;
}

export function isNull(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** Returns true for a node that contains an anchor or an alias, so that other places in the text depend on it. */
export function isLinked(node: Node | null): boolean {
  let hasLink = false;
  visit(node, (_, inner) => {
    hasLink ||= isAlias(inner) || (isNode(inner) && inner.anchor !== undefined);
  });
  return hasLink;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

/** Returns the position behind a node's content, before the comment and the line breaks that follow. */
export function contentEnd(node: Node, yaml: string): number {
  const [start = 0, end = 0] = node.range ?? [];
  if (isScalar(node) || isAlias(node) || node.flow === true) return start + yaml.slice(start, end).trimEnd().length;
  const last: unknown = node.items.at(-1);
  if (isNode(last)) return contentEnd(last, yaml);
  if (!isPair(last)) return start;
  const keyEnd = contentEnd(last.key, yaml);
  if (last.value === null) return keyEnd;
  // The range of an empty value may be on a later line.
  if (last.value.range?.[0] === last.value.range?.[1]) return yaml.indexOf(":", keyEnd) + 1;
  return contentEnd(last.value, yaml);
}

function isPair(value: unknown): value is EntryPair {
  return typeof value === "object" && value !== null && "key" in value && "value" in value && !isAlias(value);
}

/** A form of a node for comparisons. Scalars are compared by their text, since parsed numbers lose digits. */
export type Print = string | readonly Print[];

/** Returns the form of a node for comparisons, with its anchors and aliases. */
export function printOf(node: unknown): Print {
  if (isAlias(node)) return `* ${node.source}`;
  if (isNode(node) && node.anchor !== undefined) return [`& ${node.anchor}`, contentPrint(node)];
  return contentPrint(node);
}

function contentPrint(node: unknown): Print {
  if (isScalar(node)) {
    const tag = node.tag === undefined ? "" : `${node.tag} `;
    if (typeof node.value === "string") return `${tag}s ${node.value}`;
    return `${tag}p ${node.source ?? String(node.value)}`;
  }
  if (isMap<Node, Node | null>(node)) {
    return ["map", ...node.items.map((pair): Print => [printOf(pair.key), printOf(pair.value)])];
  }
  if (isSeq(node)) return ["list", ...node.items.map(printOf)];
  return "p ";
}

/** Texts such as `1_000` and `0b11`, which ESC's parser (go-yaml) reads as numbers, and the yaml package as strings. */
const NUMBER = /^[-+.]?\d[\w.:+-]*\w$/;

/** Writes a node on one line (the flow style of YAML). */
export function flowText(node: Node | null): string {
  if (isScalar(node)) {
    const { value, type, tag, source } = node;
    // The source of a number keeps every digit.
    if (typeof value !== "string") return source ?? "null";
    return type === "PLAIN" && tag === undefined && NUMBER.test(value) ? value : quoted(value);
  }
  if (isMap<Node, Node | null>(node)) {
    const entries = node.items.map((pair) => `${quoted(keyOf(pair))}: ${flowText(pair.value)}`);
    return `{${entries.join(", ")}}`;
  }
  return isSeq<Node>(node) ? `[${node.items.map(flowText).join(", ")}]` : "null";
}

/** Writes a string in double quotes, as YAML and JSON read it, on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(UNPRINTABLE, unicodeEscape);
}

/** Writes a key of a mapping, in quotes if YAML would read it otherwise. */
export function keyText(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !SPECIAL.test(name) ? name : quoted(name);
}

/** Escapes a string for ESC, which replaces `${path}` and `$$`. The argument of `fn::secret` needs no escapes. */
export function withoutReferences(text: string): string {
  return text.replaceAll(/\$+(\{?)/g, (run, brace: string) => {
    const dollars = run.slice(0, run.length - brace.length);
    return dollars.length === 1 && brace === "" ? run : dollars + dollars + brace;
  });
}
