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
        // Each table of an array replaces the former: `[[…]]` declares no variable in the files that are read.
        table = this.tableAt(root, path);
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
    this.tableAt(table, path).set(key, this.value(depth));
  }

  private tableAt(table: Table, path: readonly string[]): Table {
    let current = table;
    for (const key of path) {
      const inner = current.get(key);
      if (inner !== undefined && !(inner instanceof Map)) throw new NotToml();
      const next: Table = inner === undefined ? new Map<string, TomlValue>() : inner;
      if (inner === undefined) current.set(key, next);
      current = next;
    }
    return current;
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
