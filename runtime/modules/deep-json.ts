/** JSON of any depth: QuickJS parses each level by a call of its own, so that its stack limits the depth; V8 has no limit. */

interface Parent {
  readonly values: unknown[] | Record<string, unknown>;
  /** The name of the value that follows, in an object. */
  name: string;
}

/** Parses in a loop. @param parse the engine's own, for values without levels @throws SyntaxError */
export function parseDeep(text: string, parse: (text: string) => unknown): unknown {
  let position = 0;
  const peek = (): string => {
    while (isBlank(text.charCodeAt(position))) position += 1;
    return text.charAt(position);
  };
  const take = (expected: string): void => {
    if (peek() !== expected) throw new SyntaxError(`JSON has no ${expected} at position ${position}`);
    position += expected.length;
  };
  const scalar = (): unknown => {
    const from = position;
    position = text[from] === '"' ? endOfString(text, from) : endOfWord(text, from);
    return parse(text.slice(from, position));
  };
  const name = (): string => {
    if (peek() !== '"') take('"');
    const found = String(scalar());
    take(":");
    return found;
  };
  const parents: Parent[] = [];
  for (;;) {
    const first = peek();
    let value: unknown;
    if (first === "[" || first === "{") {
      const values = first === "[" ? [] : {};
      position += 1;
      if (peek() !== closingOf(values)) {
        parents.push({ values, name: first === "[" ? "" : name() });
        continue;
      }
      position += 1;
      value = values;
    } else value = scalar();
    for (;;) {
      const parent = parents.at(-1);
      if (parent === undefined) {
        take("");
        return value;
      }
      const { values } = parent;
      if (Array.isArray(values)) values.push(value);
      else if (parent.name !== "__proto__") values[parent.name] = value;
      // An assignment would define nothing.
      else Object.defineProperty(values, "__proto__", { value, configurable: true, enumerable: true, writable: true });
      if (peek() === ",") {
        position += 1;
        if (!Array.isArray(values)) parent.name = name();
        break;
      }
      take(closingOf(values));
      parents.pop();
      value = values;
    }
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function closingOf(values: Parent["values"]): string {
  return Array.isArray(values) ? "]" : "}";
}

function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote;
    while (text[backslash - 1] === "\\") backslash -= 1;
    // An odd number of backslashes escapes the quote.
    if ((quote - backslash) % 2 === 0) return quote + 1;
  }
  return text.length;
}

function endOfWord(text: string, from: number): number {
  const word = /[\w+.-]*/y;
  word.lastIndex = from;
  word.exec(text);
  return word.lastIndex;
}
