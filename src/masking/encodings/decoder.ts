/** Decoders of escaped text, one escape at a time, and their composition (JSON in a URL); pure. */

/** Returned by {@link Peek} if the byte has not come yet. */
export const MORE = -1;

/** Returned by {@link Peek} behind the end of the stream; no byte. */
export const END = -2;

/** Returns the byte at an index from here, or {@link MORE} or {@link END}. */
export type Peek = (index: number) => number;

/** One way to read the bytes from here on. */
export interface Unit {
  /** Number of encoded bytes. */
  readonly length: number;
  /** The bytes that they stand for; none for a quote that only opens or closes. */
  readonly bytes: readonly number[];
  /** Set if shells write such an escape and JSON does not. */
  readonly isShell?: true;
}

export interface Decoder {
  /** The bytes with which an escape can begin. */
  readonly starts: readonly number[];
  /**
   * Reads one escape, or a start byte that stands for itself.
   *
   * @returns the possible readings, the likeliest first; none if no encoder writes this; undefined if more bytes are
   *   needed to tell
   */
  readonly decode: (peek: Peek) => readonly Unit[] | undefined;
}

/** Returns a decoder that undoes several encodings, the outermost first. Only the innermost has more than one reading. */
export function nested(levels: readonly Decoder[]): Decoder {
  const [outermost, ...inner] = levels;
  if (outermost === undefined) throw new RangeError("no encoding");
  return inner.reduce((outer, one) => inside(outer, one), outermost);
}

function inside(outer: Decoder, inner: Decoder): Decoder {
  return {
    starts: [...new Set([...outer.starts, ...inner.starts])],
    decode: (peek) => {
      const layer = new Layer(outer, peek);
      const first = layer.byteAt(0);
      if (first === MORE) return undefined;
      if (!inner.starts.includes(first)) return [layer.firstUnit()];
      const units = inner.decode((index) => layer.byteAt(index));
      return units?.map((unit) => ({ ...unit, length: layer.lengthOf(unit.length) }));
    },
  };
}

/** The decoded bytes from one place on, as far as they are asked for. */
class Layer {
  private readonly decoder: Decoder;
  private readonly peek: Peek;
  private readonly bytes: number[] = [];
  /** For each decoded byte, the number of encoded bytes up to its end. */
  private readonly ends: number[] = [];
  private read = 0;

  constructor(decoder: Decoder, peek: Peek) {
    this.decoder = decoder;
    this.peek = peek;
  }

  byteAt(index: number): number {
    while (this.bytes.length <= index) if (!this.readUnit()) return MORE;
    return this.bytes[index] ?? MORE;
  }

  /** The number of encoded bytes of the first `count` decoded ones. */
  lengthOf(count: number): number {
    return this.ends[count - 1] ?? 0;
  }

  /** Everything that the first encoded character stands for: several bytes if it is not ASCII. */
  firstUnit(): Unit {
    const length = this.lengthOf(1);
    return { length, bytes: this.bytes.filter((_, index) => this.ends[index] === length) };
  }

  private readUnit(): boolean {
    const first = this.peek(this.read);
    if (first === MORE) return false;
    const literal: Unit = { length: 1, bytes: [first] };
    const units = this.decoder.starts.includes(first)
      ? this.decoder.decode((index) => this.peek(this.read + index))
      : [literal];
    if (units === undefined) return false;
    const { length, bytes } = units[0] ?? literal;
    this.read += length;
    for (const byte of bytes) {
      this.bytes.push(byte);
      this.ends.push(this.read);
    }
    return true;
  }
}

/** Returns the value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Returns a code point in UTF-8; none if there is no such character (RFC 3629, 3). */
export function utf8(code: number): readonly number[] | undefined {
  if (code < 0x80) return [code];
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return [...Buffer.from(String.fromCodePoint(code))];
}
