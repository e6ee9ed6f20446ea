/** Finds the lines and columns of values in a definition, for the traces and diagnostics of the ESC server. */
import type { LineCounter, Node as YamlNode } from "yaml";
import type { Position, Range } from "./values.ts";

/** Turns offsets in a definition into positions. */
export class Places {
  readonly #environment: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  /** Bytes before each line; filled on first use, since most definitions are ASCII. */
  #bytesBefore: readonly number[] | undefined;

  constructor(environment: string, text: string, lines: LineCounter) {
    this.#environment = environment;
    this.#text = text;
    this.#lines = lines;
  }

  of(node: YamlNode): Range {
    const [start, end] = node.range ?? [0, 0];
    return this.range([start, end]);
  }

  /** The place of a part of a scalar, by its offset. */
  within(node: YamlNode, offset: number): Range {
    const [start, end] = node.range ?? [0, 0];
    return this.range([start + offset, end]);
  }

  range([start, end]: readonly [number, number]): Range {
    return { environment: this.#environment, begin: this.#position(start), end: this.#position(end) };
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length));
    const start = this.#lines.lineStarts[line - 1] ?? 0;
    const byte = (this.#before()[line - 1] ?? 0) + Buffer.byteLength(this.#text.slice(start, offset));
    return { line: Math.max(line, 1), column: Math.max(col, 1), byte };
  }

  #before(): readonly number[] {
    if (this.#bytesBefore !== undefined) return this.#bytesBefore;
    const starts = this.#lines.lineStarts;
    const before: number[] = [];
    let bytes = 0;
    for (const [index, start] of starts.entries()) {
      before.push(bytes);
      bytes += Buffer.byteLength(this.#text.slice(start, starts[index + 1] ?? this.#text.length));
    }
    this.#bytesBefore = before;
    return before;
  }
}
