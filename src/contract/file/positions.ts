/**
 * Finds the positions of keys and values in JSON, for messages such as `sophia.contract.json:7:3`. For a contract this
 * is imported only if load-file.ts has refused it, because JSON.parse is faster.
 *
 * `parseWithPositions` returns a tree, `offsetFinder` finds the offset of a path in this tree, and `addPositions` turns
 * offsets into lines and columns.
 */
import { parseTree, printParseErrorCode, visit, type Node } from "jsonc-parser";

/** An error at a place in a text. */
export interface Fault {
  /** In UTF-16 code units, from the beginning of the text. */
  readonly offset: number;
  readonly message: string;
  /** The text that the user may write instead. */
  readonly allowed: string;
}

/** The keys and indexes that lead from the root of a document to a value: `["variables", "API_KEY", "aliases", 0]`. */
export type DocumentPath = readonly (string | number)[];

/** An error in a contract that has the form of the schema, found without positions. */
export interface ContractIssue extends Omit<Fault, "offset"> {
  readonly path: DocumentPath;
  /** True if the position is that of the key at the end of the path, false for its value. */
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

/** The limit of nested objects and lists. `parseTree` of jsonc-parser is recursive, and would overflow the stack. */
const MAX_LEVELS = 100;

/**
 * Parses a text into the tree of the package jsonc-parser.
 *
 * @param syntax `jsonc` allows comments, and a comma after the last member
 * @throws JsonSyntaxError for the first syntax error, and for more than 100 levels
 */
export function parseWithPositions(text: string, syntax: "json" | "jsonc" = "json"): Node {
  const allowTrailingComma = syntax === "jsonc";
  let level = 0;
  const enter = (offset: number): void => {
    if (level > MAX_LEVELS) {
      throw new JsonSyntaxError({ offset, message: "nested too deeply", allowed: `at most ${MAX_LEVELS} levels` });
    }
    level += 1;
  };
  const leave = (): void => {
    level -= 1;
  };
  // `enter` throws at the limit on levels, so that neither this parser nor `parseTree` can recurse too deeply.
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
    { disallowComments: syntax === "json", allowTrailingComma },
  );
  const root = parseTree(text, [], { allowTrailingComma });
  if (root === undefined) throw new TypeError("a text without an error has no tree");
  return root;
}

/** The text that is allowed at the place of an error, by the name that jsonc-parser gives to the error. */
const ALLOWED_BY_ERROR: Readonly<Record<string, string>> = {
  PropertyNameExpected: "a key in double quotes",
  ValueExpected: "a value: an object, a list, a string in double quotes, a number, true, false or null",
  ColonExpected: "a colon after the key",
  CommaExpected: "a comma, or the end of the object or list",
  CloseBraceExpected: "a comma or }",
  CloseBracketExpected: "a comma or ]",
  EndOfFileExpected: "nothing after the end of the value",
};

/** Describes a syntax error in more detail than jsonc-parser does. */
function syntaxFault(text: string, offset: number, errorName: string): Fault {
  const rest = text.slice(offset);
  // These are the errors of a string that does not end, or has an invalid character or escape.
  if (rest.startsWith('"') && /^(?:UnexpectedEndOfString|Invalid)/.test(errorName)) return stringFault(text, offset);
  const allowed =
    ALLOWED_BY_ERROR[errorName] ??
    "JSON: keys and strings in double quotes, numbers, true, false, null, lists, objects";
  if (rest === "") return { offset, message: "unexpected end of the file", allowed };
  if (errorName === "InvalidCommentToken" || rest.startsWith("#")) {
    return { offset, message: "unexpected comment: JSON has none", allowed };
  }
  const isClosedAfterComma = /^[}\]]/.test(rest) && /,\s*$/.test(text.slice(0, offset));
  if (isClosedAfterComma) {
    return { offset, message: "trailing comma", allowed: `${allowed}, or no comma before` };
  }
  // The message repeats only punctuation: the user may have named the wrong file, such as one with a token.
  return { offset, message: `unexpected ${/^[[\]{},:"]/.exec(rest)?.[0] ?? "text"}`, allowed };
}

/** Describes the error in a string, for which jsonc-parser reports only where the string begins. */
function stringFault(text: string, start: number): Fault {
  // oxlint-disable-next-line no-control-regex -- JSON forbids control characters in strings
  const validBeginning = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
  // With the flag `y`, the expression matches from `lastIndex` on.
  validBeginning.lastIndex = start;
  const offset = start + (validBeginning.exec(text)?.[0].length ?? 0);
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

/** A member of an object in the tree. */
interface Member {
  readonly key: string;
  /** The offset of the key. */
  readonly offset: number;
  readonly value: Node;
}

/**
 * Returns the members of an object, including those whose key is not unique. For any other value, returns an empty
 * list.
 */
export function membersOf({ type, children = [] }: Node): readonly Member[] {
  if (type !== "object") return [];
  return children.flatMap(({ offset, children: [key, value] = [] }) =>
    key === undefined || value === undefined ? [] : [{ key: String(key.value), offset, value }],
  );
}

/**
 * Creates a function that returns the offset of an issue's path in a tree. If the tree lacks the end of the path,
 * because the contract inherits the member, the function returns the offset of the last value on the path that the tree
 * has.
 */
export function offsetFinder(root: Node): (issue: Pick<ContractIssue, "path" | "atKey">) => number {
  /** A cache, since many issues may be in one large object. */
  const membersByObject = new Map<Node, ReadonlyMap<string, Node>>();
  const childOf = (node: Node, key: string | number): Node | undefined => {
    if (typeof key === "number") return node.type === "array" ? node.children?.[key] : undefined;
    let members = membersByObject.get(node);
    if (members === undefined) {
      members = new Map(membersOf(node).map(({ key: name, value }) => [name, value]));
      membersByObject.set(node, members);
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
    // In this tree, the parent of a member's value is a node for the whole member, which begins with the key.
    const target = (atKey ? node.parent : undefined) ?? node;
    return target.offset;
  };
}

/** A position for the user: line and column, both from 1. The column counts characters (code points). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Adds line and column to places in a text. The offsets must ascend: then each part of the text is read once. */
export function addPositions<Place extends { readonly offset: number }>(
  text: string,
  places: readonly Place[],
): readonly (Place & Position)[] {
  let [previousOffset, line, column] = [0, 1, 1];
  return places.map((place) => {
    const textBetween = text.slice(previousOffset, place.offset);
    const relative = lineAndColumn(textBetween, textBetween.length);
    const isOnSameLine = relative.line === 1;
    column = isOnSameLine ? column + relative.column - 1 : relative.column;
    line += relative.line - 1;
    previousOffset = place.offset;
    return { ...place, line, column };
  });
}

/** Returns line and column of an offset in a text. */
export function lineAndColumn(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}
