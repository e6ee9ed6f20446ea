/**
 * Finds the positions of keys and values in JSON, for messages such as `sophia.contract.json:7:3`. For a contract this
 * is imported only if load-file.ts has refused it, because JSON.parse is faster.
 *
 * `parseWithPositions` returns a tree, `createOffsetFinder` finds the offset of a path in this tree, and `addPositions` turns
 * offsets into lines and columns.
 */
import { parseTree, printParseErrorCode, visit, type Node } from "jsonc-parser";

/** An error at a place in a text. */
export interface Fault {
  /** The number of UTF-16 code units in front of the error. */
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
  /** True if the user must correct the key at the end of the path, false if its value. */
  readonly isAtKey: boolean;
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
  const levelCounter = new LevelCounter();
  // `enter` throws at the limit on levels, so that neither this parser nor `parseTree` can recurse too deeply.
  visit(
    text,
    {
      onObjectBegin: (offset) => levelCounter.enter(offset),
      onArrayBegin: (offset) => levelCounter.enter(offset),
      onObjectEnd: () => levelCounter.leave(),
      onArrayEnd: () => levelCounter.leave(),
      onError(code, offset) {
        throw new JsonSyntaxError(describeSyntaxError(text, offset, printParseErrorCode(code)));
      },
    },
    { disallowComments: syntax === "json", allowTrailingComma },
  );
  const root = parseTree(text, [], { allowTrailingComma });
  if (root === undefined) throw new TypeError("a text without an error has no tree");
  return root;
}

/** Counts how many objects and lists are open at the current place of a text. */
class LevelCounter {
  #level = 0;

  /** @throws JsonSyntaxError beyond {@link MAX_LEVELS} */
  enter(offset: number): void {
    if (this.#level > MAX_LEVELS) {
      throw new JsonSyntaxError({ offset, message: "nested too deeply", allowed: `at most ${MAX_LEVELS} levels` });
    }
    this.#level += 1;
  }

  leave(): void {
    this.#level -= 1;
  }
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
function describeSyntaxError(text: string, offset: number, errorName: string): Fault {
  const rest = text.slice(offset);
  // jsonc-parser has these names for a string that does not end, or that has an invalid character or escape.
  const isStringError = rest.startsWith('"') && /^(?:UnexpectedEndOfString|Invalid)/.test(errorName);
  if (isStringError) return describeStringError(text, offset);
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
  const punctuation = /^[[\]{},:"]/.exec(rest)?.[0];
  return { offset, message: `unexpected ${punctuation ?? "text"}`, allowed };
}

/** Describes the error in a string, for which jsonc-parser reports only where the string begins. */
function describeStringError(text: string, stringOffset: number): Fault {
  // oxlint-disable-next-line no-control-regex -- JSON forbids control characters in strings
  const validBeginning = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
  // With the flag `y`, the expression matches from `lastIndex` on.
  validBeginning.lastIndex = stringOffset;
  const offset = stringOffset + (validBeginning.exec(text)?.[0].length ?? 0);
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
      return { offset: stringOffset, message: "unterminated string", allowed: 'a " at its end, on the same line' };
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
export function createOffsetFinder(root: Node): (issue: Pick<ContractIssue, "path" | "isAtKey">) => number {
  /** A cache, since many issues may be in one large object. */
  const membersByObject = new Map<Node, ReadonlyMap<string, Node>>();
  const findChild = (parent: Node, key: string | number): Node | undefined => {
    if (typeof key === "number") return parent.type === "array" ? parent.children?.[key] : undefined;
    let members = membersByObject.get(parent);
    if (members === undefined) {
      members = new Map(membersOf(parent).map(({ key: name, value }) => [name, value]));
      membersByObject.set(parent, members);
    }
    return members.get(key);
  };
  return ({ path, isAtKey }) => {
    let valueNode = root;
    for (const key of path) {
      const child = findChild(valueNode, key);
      if (child === undefined) break;
      valueNode = child;
    }
    // In this tree, the parent of a member's value is a node for the whole member, which begins with the key.
    const memberNode = valueNode.parent;
    return (isAtKey ? (memberNode ?? valueNode) : valueNode).offset;
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
  let previousOffset = 0;
  let position: Position = { line: 1, column: 1 };
  return places.map((place) => {
    const textBetween = text.slice(previousOffset, place.offset);
    position = advancePosition(position, positionAt(textBetween, textBetween.length));
    previousOffset = place.offset;
    return { ...place, ...position };
  });
}

/** Adds a position that was counted from `start` to `start`. */
function advancePosition(start: Position, relative: Position): Position {
  const isOnSameLine = relative.line === 1;
  return {
    line: start.line + relative.line - 1,
    column: isOnSameLine ? start.column + relative.column - 1 : relative.column,
  };
}

/** Returns line and column of an offset in a text. */
export function positionAt(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}
