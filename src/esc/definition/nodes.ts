/**
 * Parses the YAML text that defines an ESC environment into the tree of the yaml package, compares nodes of the tree, and writes values
 * in YAML. edit.ts and its neighbours use it to change a definition.
 */
import { isAlias, isMap, isScalar, isSeq, Lexer, parseAllDocuments, visit } from "yaml";
import type { Alias, Document, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { SophiaError } from "../../core/error.ts";
import { unicodeEscape } from "../../core/text.ts";

export type Node = Scalar | Mapping | YAMLSeq | Alias;
export type Mapping = YAMLMap<Node, Node | null>;
export type EntryPair = Pair<Node, Node | null>;

/** A definition as text and as a tree. Positions in the text are indexes of UTF-16 code units. */
export interface ParsedDefinition {
  readonly yaml: string;
  /** The outermost mapping; undefined if the definition is empty, or has only comments. */
  readonly top: Mapping | undefined;
  readonly comments: readonly { readonly position: number; readonly text: string }[];
  /** The line break that new lines must end with. */
  readonly eol: "\n" | "\r\n";
}

/** Words that some parsers of YAML take for booleans or null. */
const SPECIAL_WORD = /^(?:true|false|null|y|n|yes|no|on|off)$/i;
/** The characters that YAML forbids or takes for line breaks, and that JSON does not escape. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNPRINTABLE = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

/** Parses a definition. @throws SophiaError (esc-edit, 125) for a text that cannot be changed safely */
export function parseDefinition(yaml: string): ParsedDefinition {
  // The parser's own check for unique keys (`uniqueKeys`) compares each key with all others, which takes quadratic time.
  const options = { intAsBigInt: true, logLevel: "silent", stringKeys: false, uniqueKeys: false } as const;
  const parsed = parseAllDocuments(yaml, options);
  const documents = Array.isArray(parsed) ? parsed : [];
  if (documents.length > 1) throw editError("it is more than one document");
  const [document] = documents;
  // The message of the parser is not shown: it quotes the text, which may contain values.
  const [error] = document?.errors ?? [];
  const line = error === undefined ? lineOfRepeatedKey(document, yaml) : error.linePos?.[0].line;
  if (error !== undefined || line !== undefined) {
    throw editError(`it is not valid YAML${line === undefined ? "" : ` (line ${line})`}`);
  }
  const contents = document?.contents ?? null;
  const map = isMap<Node, Node | null>(contents) ? contents : undefined;
  if (map === undefined && contents !== null && !(isScalar(contents) && contents.value === null)) {
    throw editError("it is not a mapping");
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

/** Finds all comments. The tree of the yaml package lacks some of them, so the tokens of its lexer are searched. */
function commentsOf(yaml: string): ParsedDefinition["comments"] {
  const comments: { position: number; text: string }[] = [];
  let position = 0;
  let isScalarText = false;
  for (const token of new Lexer().lex(yaml)) {
    // These tokens of the lexer are not in the text: the beginning of a document, the end of a flow collection, and the mark that the
    // next token is the text of a scalar. Such a text may begin with `#`.
    if (token === "\u0002" || token === "\u0018" || token === "\u001F") {
      isScalarText = token === "\u001F";
      continue;
    }
    if (!isScalarText && token.startsWith("#")) comments.push({ position, text: token });
    isScalarText = false;
    position += token.length;
  }
  return comments;
}

/** Returns the error (esc-edit, 125) for a definition that must be changed by hand. */
export function editError(why: string): SophiaError {
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

/** Returns the position after a node's content, before the comment and the line breaks that follow. */
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

/**
 * A copy of a node for comparisons: lists of texts. Quotes, styles and comments make no difference. Scalars that are not
 * strings are compared by their source text, since parsed numbers lose digits, so that `16` and `0x10` differ.
 */
export type Fingerprint = string | readonly Fingerprint[];

/** Returns the fingerprint of a node, with its anchors and aliases. */
export function fingerprintOf(node: unknown): Fingerprint {
  if (isAlias(node)) return `* ${node.source}`;
  if (isNode(node) && node.anchor !== undefined) return [`& ${node.anchor}`, contentFingerprint(node)];
  return contentFingerprint(node);
}

/** Returns the fingerprint without the node's own anchor. The prefix `s` stands for a string, and `p` for another plain scalar. */
function contentFingerprint(node: unknown): Fingerprint {
  if (isScalar(node)) {
    const tag = node.tag === undefined ? "" : `${node.tag} `;
    if (typeof node.value === "string") return `${tag}s ${node.value}`;
    return `${tag}p ${node.source ?? String(node.value)}`;
  }
  if (isMap<Node, Node | null>(node)) {
    return ["map", ...node.items.map((pair): Fingerprint => [fingerprintOf(pair.key), fingerprintOf(pair.value)])];
  }
  if (isSeq(node)) return ["list", ...node.items.map(fingerprintOf)];
  return "p ";
}

/** Matches texts such as `1_000` and `0b11`, which ESC's parser (go-yaml) reads as numbers, and the yaml package as strings. */
const GO_NUMBER = /^[-+.]?\d[\w.:+-]*\w$/;

/** Writes a node on one line (the flow style of YAML). */
export function flowText(node: Node | null): string {
  if (isScalar(node)) {
    const { value, type, tag, source } = node;
    // The source of a number keeps every digit.
    if (typeof value !== "string") return source ?? "null";
    return type === "PLAIN" && tag === undefined && GO_NUMBER.test(value) ? value : quoted(value);
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
  return /^[A-Za-z_]\w*$/.test(name) && !SPECIAL_WORD.test(name) ? name : quoted(name);
}

/** Escapes a string for ESC, which replaces `${path}` and `$$`. The argument of `fn::secret` needs no escapes. */
export function escapeReferences(text: string): string {
  return text.replaceAll(/\$+(\{?)/g, (run, brace: string) => {
    const dollars = run.slice(0, run.length - brace.length);
    return dollars.length === 1 && brace === "" ? run : dollars + dollars + brace;
  });
}
