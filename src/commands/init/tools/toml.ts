/** A reader of TOML for files that declare variables: tables, strings and booleans. Other values keep their text. */

export type TomlValue = string | boolean | TomlTable | readonly TomlValue[];
export type TomlTable = ReadonlyMap<string, TomlValue>;
type Table = Map<string, TomlValue>;

const MAX_DEPTH = 32;

/** @returns undefined for a text that is no TOML */
export function parseToml(text: string): TomlTable | undefined {
  try {
    return new Reader(text.replaceAll(/\r\n?/g, "\n")).document();
  } catch (error) {
    if (error instanceof NotToml) return undefined;
    throw error;
  }
}

class NotToml extends Error {}

class Reader {
  private readonly text: string;
  private at = 0;
  /** The tables and arrays behind a `=`, which are complete: no table can be added to them. */
  private readonly inline = new WeakSet<object>();
  /** The arrays of tables, to which more can be added. */
  private readonly arrays = new WeakMap<object, Table[]>();

  constructor(text: string) {
    this.text = text;
  }

  document(): TomlTable {
    const root: Table = new Map();
    let table = root;
    for (this.skip(); this.at < this.text.length; this.skip()) {
      if (this.takes("[")) {
        const isOfArray = this.takes("[");
        const path = this.path();
        this.expect(isOfArray ? "]]" : "]");
        table = isOfArray ? this.nextTableAt(root, path) : this.tableAt(root, path);
      } else this.assignment(table, 0);
      this.endOfLine();
    }
    return root;
  }

  private assignment(table: Table, depth: number): void {
    const path = this.path();
    this.expect("=");
    this.blanks();
    const key = path.pop() ?? "";
    const value = this.value(depth);
    if (typeof value === "object") this.inline.add(value);
    this.tableAt(table, path).set(key, value);
  }

  private tableAt(table: Table, path: readonly string[]): Table {
    let current = table;
    for (const key of path) {
      const former = current.get(key);
      if (typeof former === "object" && this.inline.has(former)) throw new NotToml();
      // A path through an array of tables leads to the last one.
      const inner = Array.isArray(former) ? former.at(-1) : former;
      if (inner !== undefined && !(inner instanceof Map)) throw new NotToml();
      const next: Table = inner === undefined ? new Map<string, TomlValue>() : inner;
      if (inner === undefined) current.set(key, next);
      current = next;
    }
    return current;
  }

  /** Adds a table to the array of a `[[path]]`. */
  private nextTableAt(root: Table, path: string[]): Table {
    const key = path.pop() ?? "";
    const parent = this.tableAt(root, path);
    const former = parent.get(key);
    const table: Table = new Map();
    if (former === undefined) {
      const tables = [table];
      this.arrays.set(tables, tables);
      parent.set(key, tables);
      return table;
    }
    const tables = typeof former === "object" ? this.arrays.get(former) : undefined;
    if (tables === undefined) throw new NotToml();
    tables.push(table);
    return table;
  }

  /** A key, or several with dots between them. */
  private path(): string[] {
    const path: string[] = [];
    do {
      this.blanks();
      const quote = this.text[this.at];
      const key = quote === '"' || quote === "'" ? this.string(quote) : this.match(/[\w-]+/y);
      if (key === undefined) throw new NotToml();
      path.push(key);
      this.blanks();
    } while (this.takes("."));
    return path;
  }

  private value(depth: number): TomlValue {
    if (depth > MAX_DEPTH) throw new NotToml();
    const first = this.text[this.at];
    if (first === '"' || first === "'") return this.string(first);
    if (this.takes("[")) {
      const list: TomlValue[] = [];
      this.list("]", () => list.push(this.value(depth + 1)));
      return list;
    }
    if (this.takes("{")) {
      const table: Table = new Map();
      this.list("}", () => this.assignment(table, depth + 1));
      return table;
    }
    const word = this.match(/\d{4}-\d\d-\d\d \d\d:[\w:.+-]+|[\w:.+-]+/y);
    if (word === undefined) throw new NotToml();
    return word === "true" ? true : word === "false" ? false : word;
  }

  /** Reads members with commas between them, and perhaps behind the last one. */
  private list(end: string, member: () => void): void {
    for (this.skip(); !this.takes(end); this.skip()) {
      member();
      this.skip();
      if (!this.takes(",") && this.text[this.at] !== end) throw new NotToml();
    }
  }

  private string(quote: string): string {
    const triple = quote.repeat(3);
    const isLong = this.takes(triple);
    if (!isLong) this.expect(quote);
    const isLiteral = quote === "'";
    if (isLong) this.takes("\n");
    const ending = isLong ? triple : quote;
    const begin = this.at;
    while (!this.text.startsWith(ending, this.at)) {
      const character = this.text[this.at];
      if (character === undefined || (character === "\n" && !isLong)) throw new NotToml();
      this.at += character === "\\" && !isLiteral ? 2 : 1;
    }
    const raw = this.text.slice(begin, this.at);
    this.at += ending.length;
    return isLiteral ? raw : unescaped(raw);
  }

  private endOfLine(): void {
    this.blanks();
    this.match(/#.*/y);
    if (this.at < this.text.length) this.expect("\n");
  }

  private blanks(): void {
    this.match(/[ \t]+/y);
  }

  /** Blanks, line breaks and comments. */
  private skip(): void {
    while (this.match(/[ \t\n]+|#.*/y) !== undefined);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private takes(token: string): boolean {
    const isHere = this.text.startsWith(token, this.at);
    if (isHere) this.at += token.length;
    return isHere;
  }

  private expect(token: string): void {
    if (!this.takes(token)) throw new NotToml();
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\u001B" };

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|\s*\n\s*|([^]))/g,
    (_, short?: string, long?: string, letter?: string) => {
      if (letter !== undefined) return ESCAPES[letter] ?? letter;
      const code = Number.parseInt(short ?? long ?? "", 16);
      return Number.isNaN(code) || code > 0x10_ffff ? "" : String.fromCodePoint(code);
    },
  );
}
