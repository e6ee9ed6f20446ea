/**
 * Parses JSON of any depth. The parser of QuickJS calls itself for each level, so that the size of its stack limits the depth. V8, the
 * engine of Node.js, has no such limit. JSON.parse (runtime/host.ts) calls this slower parser only if QuickJS has run out of stack,
 * and the caller has no reviver.
 *
 * This parser keeps the arrays and objects that have not ended in a list. At the mark in `{"a":[1,▲2]}` the list has the object, whose
 * next key is `a`, and the array `[1]`. The parser gives strings, numbers and literals (`true`, `false`, `null`) to the engine.
 */

/** An array or an object that has begun and has not ended. */
interface OpenContainer {
  readonly content: unknown[] | Record<string, unknown>;
  /** The key of the next value in an object; empty for an array. */
  key: string;
}

/** The value of a container that has not ended. No JSON value is `undefined`. */
const INCOMPLETE = undefined;

/** Parses JSON. @param engineParse JSON.parse of the engine, for strings, numbers and literals @throws SyntaxError */
export function parseDeep(text: string, engineParse: (text: string) => unknown): unknown {
  return new DeepParser(text, engineParse).parse();
}

class DeepParser {
  readonly #text: string;
  readonly #engineParse: (text: string) => unknown;
  #position = 0;
  /** The containers around the position. The last one is the innermost. */
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

  /** Parses a value that is not a container, or an empty container, or the beginning of a container. @returns INCOMPLETE for the last */
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

  /** Parses what follows a value in a container. @returns the content if the container ends; INCOMPLETE if another value follows */
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
   * Parses a string, a number or a literal. The engine checks it, and throws a SyntaxError if it is empty or wrong, as in `[1,]`. The
   * position in that error counts from the beginning of the string, number or literal.
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

  /** Moves the position to the next character that is not a blank, and returns this character; "" at the end of the text. */
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
  // An assignment would set the prototype of the object, while JSON.parse defines a property with this name.
  else Object.defineProperty(content, "__proto__", { value, configurable: true, enumerable: true, writable: true });
}

/** Returns true for the four blanks of JSON: space, line feed, carriage return and tab. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function closingBracket(content: OpenContainer["content"]): string {
  return Array.isArray(content) ? "]" : "}";
}

/** @param start the position of the first quote @returns the position after the last quote; the end of the text without one */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashesStart = quote;
    while (text[backslashesStart - 1] === "\\") backslashesStart -= 1;
    // The backslashes before a quote escape each other in pairs. If their number is odd, the last one escapes the quote.
    const isEscaped = (quote - backslashesStart) % 2 === 1;
    if (!isEscaped) return quote + 1;
  }
  return text.length;
}

/** @returns the position after a number such as `-1.5e+3`, or after `true`, `false` or `null` */
function endOfLiteral(text: string, start: number): number {
  const literal = /[\w+.-]*/y;
  literal.lastIndex = start;
  literal.exec(text);
  return literal.lastIndex;
}
