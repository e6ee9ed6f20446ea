/**
 * JSON.parse for texts of any depth. QuickJS parses each level by a call of its own, so its stack limits the depth, while V8 has
 * no limit. This parser keeps the open levels in a list, and gives strings, numbers and words to the engine. It is slower, so
 * JSON.parse uses it only after the engine has run out of stack (runtime/host.ts).
 */

/** An array or an object that has begun and has not ended. */
interface OpenContainer {
  readonly values: unknown[] | Record<string, unknown>;
  /** The name of the value that follows, if this is an object. */
  name: string;
}

/** @param parseByEngine that of the engine, for values without levels @throws SyntaxError */
export function parseDeep(text: string, parseByEngine: (text: string) => unknown): unknown {
  return new DeepParser(text, parseByEngine).parse();
}

class DeepParser {
  readonly #text: string;
  readonly #parseByEngine: (text: string) => unknown;
  #position = 0;
  /** The containers around the position, of which the last one is the innermost. */
  readonly #containers: OpenContainer[] = [];

  constructor(text: string, parseByEngine: (text: string) => unknown) {
    this.#text = text;
    this.#parseByEngine = parseByEngine;
  }

  parse(): unknown {
    for (;;) {
      let value = this.#parseValue();
      // A value may be the last one of its container. That container is then the next value that is complete.
      while (value !== undefined) {
        const container = this.#containers.at(-1);
        if (container === undefined) {
          this.#expect("");
          return value;
        }
        addValue(container, value);
        value = this.#endContainer(container);
      }
    }
  }

  /** @returns undefined if a container has begun, because its first value must be parsed before */
  #parseValue(): unknown {
    const first = this.#peek();
    if (first !== "[" && first !== "{") return this.#parseScalar();
    const isArray = first === "[";
    const values = isArray ? [] : {};
    this.#position += 1;
    if (this.#peek() === closingOf(values)) {
      this.#position += 1;
      return values;
    }
    this.#containers.push({ values, name: isArray ? "" : this.#parseName() });
    return undefined;
  }

  /** @returns the values of the container if it ends at the position; undefined if another value follows */
  #endContainer(container: OpenContainer): unknown {
    const { values } = container;
    if (this.#peek() === ",") {
      this.#position += 1;
      if (!Array.isArray(values)) container.name = this.#parseName();
      return undefined;
    }
    this.#expect(closingOf(values));
    this.#containers.pop();
    return values;
  }

  /** Parses a string, a number or a word. */
  #parseScalar(): unknown {
    const start = this.#position;
    const isString = this.#text[start] === '"';
    this.#position = isString ? endOfString(this.#text, start) : endOfWord(this.#text, start);
    return this.#parseByEngine(this.#text.slice(start, this.#position));
  }

  /** Parses the name of a value in an object, with its colon. */
  #parseName(): string {
    if (this.#peek() !== '"') this.#expect('"');
    const name = String(this.#parseScalar());
    this.#expect(":");
    return name;
  }

  /** Skips blanks, and returns the next character; "" at the end. */
  #peek(): string {
    const text = this.#text;
    let position = this.#position;
    while (isBlank(text.charCodeAt(position))) position += 1;
    this.#position = position;
    return text.charAt(position);
  }

  /** Skips a character. @param expected "" for the end of the text @throws SyntaxError if another one comes */
  #expect(expected: string): void {
    if (this.#peek() !== expected) throw new SyntaxError(`JSON has no ${expected} at position ${this.#position}`);
    this.#position += expected.length;
  }
}

function addValue({ values, name }: OpenContainer, value: unknown): void {
  if (Array.isArray(values)) values.push(value);
  else if (name !== "__proto__") values[name] = value;
  // An assignment would set the prototype, while JSON.parse makes a property.
  else Object.defineProperty(values, "__proto__", { value, configurable: true, enumerable: true, writable: true });
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function closingOf(values: OpenContainer["values"]): string {
  return Array.isArray(values) ? "]" : "}";
}

/** @param start the position of the first quote @returns the position behind the last one */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let firstBackslash = quote;
    while (text[firstBackslash - 1] === "\\") firstBackslash -= 1;
    const isEscaped = (quote - firstBackslash) % 2 === 1;
    if (!isEscaped) return quote + 1;
  }
  return text.length;
}

function endOfWord(text: string, start: number): number {
  const word = /[\w+.-]*/y;
  word.lastIndex = start;
  word.exec(text);
  return word.lastIndex;
}
