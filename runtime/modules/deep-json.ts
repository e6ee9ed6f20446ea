/**
 * JSON.parse for texts of any depth. QuickJS's parser calls itself for each level, so that its stack limits the depth; V8 has no
 * such limit. This parser keeps the open arrays and objects in a list, and gives strings, numbers and literals (`true`, `false`,
 * `null`) to the engine. It is slower, so that JSON.parse (runtime/host.ts) calls it only if the engine has run out of stack and the
 * caller has no reviver. At the mark in `{"a":[1,▲2]}` the list has the object, whose next key is `a`, and the array `[1]`.
 */

/** An array or an object that has begun and has not ended. */
interface OpenContainer {
  readonly content: unknown[] | Record<string, unknown>;
  /** The key of the value that follows, if this is an object. */
  key: string;
}

/** The value of a container that has not ended. No JSON value is `undefined`. */
const INCOMPLETE = undefined;

/** @param engineParse the JSON.parse of the engine, for values without levels @throws SyntaxError */
export function parseDeep(text: string, engineParse: (text: string) => unknown): unknown {
  return new DeepParser(text, engineParse).parse();
}

class DeepParser {
  readonly #text: string;
  readonly #engineParse: (text: string) => unknown;
  #position = 0;
  /** The containers around the position, of which the last one is the innermost. */
  readonly #containers: OpenContainer[] = [];

  constructor(text: string, engineParse: (text: string) => unknown) {
    this.#text = text;
    this.#engineParse = engineParse;
  }

  parse(): unknown {
    for (;;) {
      let value = this.#parseValue();
      // If a value ends its container, that container is a complete value too, and is added to its own parent.
      while (value !== INCOMPLETE) {
        const container = this.#containers.at(-1);
        if (container === undefined) {
          this.#expectEnd();
          return value;
        }
        addValue(container, value);
        value = this.#endContainer(container);
      }
    }
  }

  /** @returns INCOMPLETE if an array or an object has begun: its first value comes next */
  #parseValue(): unknown {
    const first = this.#peek();
    if (first !== "[" && first !== "{") return this.#parseScalar();
    const isArray = first === "[";
    const content = isArray ? [] : {};
    this.#position += 1;
    if (this.#peek() === closingBracket(content)) {
      this.#position += 1;
      return content;
    }
    this.#containers.push({ content, key: isArray ? "" : this.#parseKey() });
    return INCOMPLETE;
  }

  /** @returns the content of the container if it ends at the position; INCOMPLETE if another value follows */
  #endContainer(container: OpenContainer): unknown {
    const { content } = container;
    if (this.#peek() === ",") {
      this.#position += 1;
      if (!Array.isArray(content)) container.key = this.#parseKey();
      return INCOMPLETE;
    }
    this.#expect(closingBracket(content));
    this.#containers.pop();
    return content;
  }

  /**
   * Parses a string, a number or a literal. It checks nothing itself: the engine throws a SyntaxError for a slice that is empty or
   * wrong, which is how `[1,]` fails. Positions in that error count from the slice.
   */
  #parseScalar(): unknown {
    const start = this.#position;
    const isString = this.#text[start] === '"';
    this.#position = isString ? endOfString(this.#text, start) : endOfLiteral(this.#text, start);
    return this.#engineParse(this.#text.slice(start, this.#position));
  }

  /** Parses the key of a value in an object, with its colon. */
  #parseKey(): string {
    if (this.#peek() !== '"') this.#fail('"');
    const key = String(this.#parseScalar());
    this.#expect(":");
    return key;
  }

  /** Moves the position past blanks, and returns the next character without moving past it; "" at the end. */
  #peek(): string {
    const text = this.#text;
    let position = this.#position;
    while (isBlank(text.charCodeAt(position))) position += 1;
    this.#position = position;
    return text.charAt(position);
  }

  /** Moves past a character. @throws SyntaxError if the next character is a different one */
  #expect(expected: string): void {
    if (this.#peek() !== expected) this.#fail(expected);
    this.#position += expected.length;
  }

  /** @throws SyntaxError if the text goes on */
  #expectEnd(): void {
    if (this.#peek() !== "") this.#fail("");
  }

  #fail(expected: string): never {
    throw new SyntaxError(`JSON has no ${expected} at position ${this.#position}`);
  }
}

function addValue({ content, key }: OpenContainer, value: unknown): void {
  if (Array.isArray(content)) content.push(value);
  else if (key !== "__proto__") content[key] = value;
  // An assignment would set the prototype, while JSON.parse makes a property.
  else Object.defineProperty(content, "__proto__", { value, configurable: true, enumerable: true, writable: true });
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function closingBracket(content: OpenContainer["content"]): string {
  return Array.isArray(content) ? "]" : "}";
}

/** @param start the position of the first quote @returns the position behind the last one */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashesStart = quote;
    while (text[backslashesStart - 1] === "\\") backslashesStart -= 1;
    // An odd number of backslashes before a quote escapes it; two are one that is escaped itself.
    const isEscaped = (quote - backslashesStart) % 2 === 1;
    if (!isEscaped) return quote + 1;
  }
  return text.length;
}

/** @returns the position behind a number such as `-1.5e+3`, or behind `true`, `false` or `null` */
function endOfLiteral(text: string, start: number): number {
  const literal = /[\w+.-]*/y;
  literal.lastIndex = start;
  literal.exec(text);
  return literal.lastIndex;
}
