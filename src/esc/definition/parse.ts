import { isMap, isScalar, Lexer, parseAllDocuments } from "yaml";
import { SophiaError } from "../../core/error.ts";
import type { Mapping, Node } from "./nodes.ts";

/** A definition with the places of all that is in it. */
export interface Parsed {
  readonly yaml: string;
  /** Absent where there is nothing but comments. */
  readonly top: Mapping | undefined;
  readonly comments: readonly { readonly at: number; readonly text: string }[];
  /** The line break of its lines. */
  readonly eol: "\n" | "\r\n";
}

/** What a definition's text must not have for a change of it to be safe. */
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
  if (!isEmpty && !isMap<Node, Node | null>(contents)) throw refuse("it is not a mapping");
  return {
    yaml,
    top:
      isMap<Node, Node | null>(contents) && (contents.items.length > 0 || contents.flow === true)
        ? contents
        : undefined,
    comments: commentsOf(yaml),
    eol: yaml.includes("\r\n") ? "\r\n" : "\n",
  };
}

function commentsOf(yaml: string): Parsed["comments"] {
  const comments: { at: number; text: string }[] = [];
  let at = yaml.startsWith("\uFEFF") ? 1 : 0;
  let isText = false;
  for (const token of new Lexer().lex(yaml)) {
    // Marks of the lexer, which do not stand in the text.
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

/** The error (esc-edit, 125) of a definition that is to be changed by hand. */
export function refuse(why: string): SophiaError {
  return new SophiaError({
    code: "esc-edit",
    message: `the definition is not changed: ${why}`,
    hint: "change it by hand: pulumi env edit",
  });
}
