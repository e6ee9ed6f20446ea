/**
 * A JSON reader (RFC 8259) that remembers where everything stands. It is used only once something is wrong:
 * JSON.parse is faster, but tells neither positions nor duplicate keys, and its messages differ between versions.
 */

/** A JSON value with its place in the text; offsets count UTF-16 code units from 0. */
export type JsonNode = { readonly start: number } & (
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "null" }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "object"; readonly members: readonly JsonMember[] }
);

/** One key of an object with its value. */
export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly value: JsonNode;
}

/** Where and why a text is no JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  readonly offset: number;
  /** What may stand there. */
  readonly allowed: string;

  constructor(offset: number, message: string, allowed: string) {
    super(message);
    this.offset = offset;
    this.allowed = allowed;
  }
}

const deepest = 100;

/**
 * Reads a JSON text.
 *
 * @throws JsonSyntaxError at the first thing that does not belong there
 */
export function parseWithPositions(text: string): JsonNode {
  const reader = new Reader(text);
  const node = reader.value(0);
  reader.skipSpace();
  if (reader.at < text.length) throw reader.unexpected("nothing after the end of the value");
  return node;
}

/** Line and column of an offset, both counted from 1; the column counts characters (code points). */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}

class Reader {
  at = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  skipSpace(): void {
    while (/[ \t\n\r]/.test(this.text.charAt(this.at))) this.at += 1;
  }

  value(depth: number): JsonNode {
    this.skipSpace();
    const start = this.at;
    if (depth > deepest) throw new JsonSyntaxError(start, "nested too deeply", `at most ${deepest} levels`);
    const first = this.text.charAt(start);
    if (first === "{") return { kind: "object", start, members: this.members(depth) };
    if (first === "[") return { kind: "array", start, items: this.items(depth) };
    if (first === '"') return { kind: "string", start, value: this.string() };
    const word = this.match(/(?:true|false|null)(?![\w$])/y);
    if (word === "null") return { kind: "null", start };
    if (word !== undefined) return { kind: "boolean", start, value: word === "true" };
    const number = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y);
    if (number !== undefined) return { kind: "number", start, value: Number(number) };
    throw this.unexpected("a value: an object, a list, a text in double quotes, a number, true, false or null");
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private accept(character: string): boolean {
    this.skipSpace();
    if (this.text.charAt(this.at) !== character) return false;
    this.at += 1;
    return true;
  }

  private members(depth: number): JsonMember[] {
    const members: JsonMember[] = [];
    this.at += 1;
    if (this.accept("}")) return members;
    do {
      this.skipSpace();
      const keyStart = this.at;
      if (this.text.charAt(keyStart) !== '"') {
        const allowed = "a key in double quotes";
        throw members.length > 0 && this.text.charAt(keyStart) === "}"
          ? this.trailingComma(allowed)
          : this.unexpected(allowed);
      }
      const key = this.string();
      if (!this.accept(":")) throw this.unexpected("a colon after the key");
      members.push({ key, keyStart, value: this.value(depth + 1) });
    } while (this.accept(","));
    if (!this.accept("}")) throw this.unexpected("a comma or }");
    return members;
  }

  private items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.at += 1;
    if (this.accept("]")) return items;
    do {
      this.skipSpace();
      if (items.length > 0 && this.text.charAt(this.at) === "]") throw this.trailingComma("a value");
      items.push(this.value(depth + 1));
    } while (this.accept(","));
    if (!this.accept("]")) throw this.unexpected("a comma or ]");
    return items;
  }

  private string(): string {
    const start = this.at;
    // oxlint-disable-next-line no-control-regex -- JSON forbids control characters in texts
    const raw = this.match(/"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y);
    if (raw !== undefined) return String(JSON.parse(raw));
    // oxlint-disable-next-line no-control-regex -- as above
    this.match(/"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y);
    const next = this.text.charAt(this.at);
    if (next === "\\")
      throw new JsonSyntaxError(
        this.at,
        "an escape that JSON does not know",
        String.raw`\" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits`,
      );
    if (next === "" || next === "\n" || next === "\r")
      throw new JsonSyntaxError(start, "a text that is not closed", 'a " at its end, on the same line');
    throw new JsonSyntaxError(this.at, "a control character within a text", String.raw`an escape such as \t`);
  }

  private trailingComma(allowed: string): JsonSyntaxError {
    return new JsonSyntaxError(this.at, "a comma with nothing after it", `${allowed}, or no comma before`);
  }

  unexpected(allowed: string): JsonSyntaxError {
    const rest = this.text.slice(this.at);
    if (rest === "") return new JsonSyntaxError(this.at, "the file ends too early", allowed);
    if (/^(?:\/\/|\/\*|#)/.test(rest))
      return new JsonSyntaxError(this.at, "a comment, which JSON does not have", allowed);
    if (rest.startsWith("'")) return new JsonSyntaxError(this.at, "a single quote", allowed);
    const word = /^[\w$-]{1,40}/.exec(rest)?.[0] ?? Array.from(rest.slice(0, 2))[0] ?? "";
    return new JsonSyntaxError(this.at, `unexpected ${word}`, allowed);
  }
}
