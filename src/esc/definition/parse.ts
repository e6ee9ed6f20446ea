import { isMap, isScalar, Lexer, parseAllDocuments } from "yaml";
import { SophiaError } from "../../core/error.ts";
import type { Mapping, Node } from "./nodes.ts";

export interface Parsed {
  readonly yaml: string;
  /** Absent if there is nothing but comments. */
  readonly top: Mapping | undefined;
  readonly comments: readonly { readonly at: number; readonly text: string }[];
  /** The line break of its lines. */
  readonly eol: "\n" | "\r\n";
}

/** @throws SophiaError (esc-edit, 125) for a text that cannot be changed safely */
export function parseDefinition(yaml: string): Parsed {
  const parsed = parseAllDocuments(yaml, { intAsBigInt: true, logLevel: "silent", stringKeys: false });
  const documents = Array.isArray(parsed) ? parsed : [];
  if (documents.length > 1) throw refuse("it is more than one document");
  const [document] = documents;
  // The parser's words quote the text, which may hold values.
  const [error] = document?.errors ?? [];
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    throw refuse(`it is not valid YAML${line === undefined ? "" : ` (line ${line})`}`);
  }
  const contents = document?.contents ?? null;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  const map = isMap<Node, Node | null>(contents) ? contents : undefined;
  if (!isEmpty && map === undefined) throw refuse("it is not a mapping");
  const hasEntries = map !== undefined && (map.items.length > 0 || map.flow === true);
  return {
    yaml,
    top: hasEntries ? map : undefined,
    comments: commentsOf(yaml),
    eol: yaml.includes("\r\n") ? "\r\n" : "\n",
  };
}

function commentsOf(yaml: string): Parsed["comments"] {
  const comments: { at: number; text: string }[] = [];
  let at = yaml.startsWith("\uFEFF") ? 1 : 0;
  let isText = false;
  for (const token of new Lexer().lex(yaml)) {
    // Marks of the lexer, which are not in the text.
    if (token === "\u0002" || token === "\u0018" || token === "\u001F") {
      isText = token === "\u001F";
      continue;
    }
    if (!isText && token.startsWith("#")) comments.push({ at, text: token });
    isText = false;
    at += token.length;
  }
  return comments;
}

/** The error (esc-edit, 125) for a definition that must be changed by hand. */
export function refuse(why: string): SophiaError {
  return new SophiaError({
    code: "esc-edit",
    message: `the definition is not changed: ${why}`,
    hint: "change it by hand: pulumi env edit",
  });
}
