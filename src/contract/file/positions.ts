/** The positions of keys and values in a contract file. Loaded only for a faulty one, since JSON.parse is faster. */
import { parseTree, printParseErrorCode, visit, type Node } from "jsonc-parser";

export interface Fault {
  /** UTF-16 code units from the beginning of the text. */
  readonly offset: number;
  readonly message: string;
  readonly allowed: string;
}

export type Path = readonly (string | number)[];

export interface Issue extends Omit<Fault, "offset"> {
  readonly path: Path;
  readonly atKey: boolean;
}

/** The first syntax error in a text (RFC 8259). */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

const MOST_LEVELS = 100;

/**
 * Returns the tree of jsonc-parser. @throws JsonSyntaxError, also beyond 100 levels, since the parser is recursive
 *
 * @param form `jsonc` has comments, and commas behind the last member
 */
export function parseWithPositions(text: string, form: "json" | "jsonc" = "json"): Node {
  const allowTrailingComma = form === "jsonc";
  let level = 0;
  const enter = (offset: number): void => {
    if (level > MOST_LEVELS) {
      throw new JsonSyntaxError({ offset, message: "nested too deeply", allowed: `at most ${MOST_LEVELS} levels` });
    }
    level += 1;
  };
  const leave = (): void => {
    level -= 1;
  };
  visit(
    text,
    {
      onObjectBegin: enter,
      onArrayBegin: enter,
      onObjectEnd: leave,
      onArrayEnd: leave,
      onError(code, offset) {
        throw new JsonSyntaxError(syntaxFault(text, offset, printParseErrorCode(code)));
      },
    },
    { disallowComments: form === "json", allowTrailingComma },
  );
  const root = parseTree(text, [], { allowTrailingComma });
  if (root === undefined) throw new TypeError("a text without an error has no tree");
  return root;
}

const ALLOWED: Readonly<Record<string, string>> = {
  PropertyNameExpected: "a key in double quotes",
  ValueExpected: "a value: an object, a list, a string in double quotes, a number, true, false or null",
  ColonExpected: "a colon after the key",
  CommaExpected: "a comma, or the end of the object or list",
  CloseBraceExpected: "a comma or }",
  CloseBracketExpected: "a comma or ]",
  EndOfFileExpected: "nothing after the end of the value",
};

function syntaxFault(text: string, offset: number, code: string): Fault {
  const rest = text.slice(offset);
  if (rest.startsWith('"') && /^(?:UnexpectedEndOfString|Invalid)/.test(code)) return stringFault(text, offset);
  const allowed =
    ALLOWED[code] ?? "JSON: keys and strings in double quotes, numbers, true, false, null, lists, objects";
  if (rest === "") return { offset, message: "unexpected end of the file", allowed };
  if (code === "InvalidCommentToken" || rest.startsWith("#")) {
    return { offset, message: "unexpected comment: JSON has none", allowed };
  }
  if (/^[}\]]/.test(rest) && /,\s*$/.test(text.slice(0, offset))) {
    return { offset, message: "trailing comma", allowed: `${allowed}, or no comma before` };
  }
  // Repeats only punctuation: the file may be another one, such as one with a token.
  return { offset, message: `unexpected ${/^[[\]{},:"]/.exec(rest)?.[0] ?? "text"}`, allowed };
}

/** Finds the error within a string, of which the parser reports the beginning. */
function stringFault(text: string, start: number): Fault {
  // oxlint-disable-next-line no-control-regex -- JSON forbids control characters in strings
  const sound = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
  sound.lastIndex = start;
  const offset = start + (sound.exec(text)?.[0].length ?? 0);
  switch (text.charAt(offset)) {
    case "\\":
      return {
        offset,
        message: "invalid escape in a string",
        allowed: String.raw`\" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits`,
      };
    case "":
    case "\n":
    case "\r":
      return { offset: start, message: "unterminated string", allowed: 'a " at its end, on the same line' };
    default:
      return { offset, message: "control character in a string", allowed: String.raw`an escape such as \t` };
  }
}

interface Member {
  readonly key: string;
  readonly offset: number;
  readonly value: Node;
}

export function membersOf({ type, children = [] }: Node): readonly Member[] {
  if (type !== "object") return [];
  return children.flatMap(({ offset, children: [key, value] = [] }) =>
    key === undefined || value === undefined ? [] : [{ key: String(key.value), offset, value }],
  );
}

/** Returns a finder of an issue's offset: of the nearest node above, if the text lacks an inherited node. */
export function offsetFinder(root: Node): (issue: Pick<Issue, "path" | "atKey">) => number {
  const objects = new Map<Node, ReadonlyMap<string, Node>>();
  const childOf = (node: Node, key: string | number): Node | undefined => {
    if (typeof key === "number") return node.type === "array" ? node.children?.[key] : undefined;
    let members = objects.get(node);
    if (members === undefined) {
      members = new Map(membersOf(node).map(({ key: name, value }) => [name, value]));
      objects.set(node, members);
    }
    return members.get(key);
  };
  return ({ path, atKey }) => {
    let node = root;
    for (const key of path) {
      const child = childOf(node, key);
      if (child === undefined) break;
      node = child;
    }
    return ((atKey ? node.parent : undefined) ?? node).offset;
  };
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Adds the positions to places in a text, whose offsets ascend. A file may have many: the text is read once. */
export function located<Place extends { readonly offset: number }>(
  text: string,
  places: readonly Place[],
): readonly (Place & Position)[] {
  let [start, line, column] = [0, 1, 1];
  return places.map((place) => {
    const further = lineAndColumn(text.slice(start, place.offset), place.offset - start);
    column = further.line === 1 ? column + further.column - 1 : further.column;
    line += further.line - 1;
    start = place.offset;
    return { ...place, line, column };
  });
}

/** Returns line and column of an offset, both from 1; the column counts characters (code points). */
export function lineAndColumn(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}
