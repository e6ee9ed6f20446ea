/**
 * Decoders of escaped text, one escape at a time, and their composition: JSON in a URL is decoded by the decoder of URLs, whose
 * output the decoder of JSON reads.
 *
 * Text may come in parts, and may have been written by any encoder. So a decoder may answer that it needs more bytes, and may
 * return several readings of the same escape.
 */

/** Stands for a byte that has not arrived yet. */
export const PENDING = -1;
/** Stands for a byte behind the end of the stream. */
export const END_OF_STREAM = -2;

/** Returns the byte at an index from the start of the escape, or {@link PENDING} or {@link END_OF_STREAM}. */
export type Peek = (index: number) => number;

/** One reading of an escape, or of a byte that stands for itself. */
export interface Unit {
  /** The number of encoded bytes. */
  readonly length: number;
  /** The decoded bytes; none for a quote that only opens or closes. */
  readonly bytes: readonly number[];
  /** True for an escape of shells that JSON does not have. */
  readonly isShell?: true;
}

export interface Decoder {
  /** The bytes with which an escape can begin. */
  readonly starts: readonly number[];
  /**
   * Decodes one escape, whose first byte is one of `starts`.
   *
   * @returns the possible readings, the likeliest first; an empty list if no encoder writes this; undefined if the readings
   *   depend on bytes that have not arrived yet
   */
  readonly decode: (peek: Peek) => readonly Unit[] | undefined;
}

/** Composes decoders, the outermost first. Only the innermost one may return more than one reading. */
export function nestDecoders(levels: readonly Decoder[]): Decoder {
  const [outermost, ...innerLevels] = levels;
  if (outermost === undefined) throw new RangeError("no encoding");
  return innerLevels.reduce((outer, inner) => nestPair(outer, inner), outermost);
}

function nestPair(outer: Decoder, inner: Decoder): Decoder {
  return {
    starts: [...new Set([...outer.starts, ...inner.starts])],
    decode: (peek) => {
      const reader = new DecodingReader(outer, peek);
      const peekDecoded: Peek = (index) => reader.byteAt(index);
      const first = reader.byteAt(0);
      if (first === PENDING) return undefined;
      if (inner.starts.includes(first)) {
        return inner.decode(peekDecoded)?.map((unit) => ({ ...unit, length: reader.encodedLength(unit.length) }));
      }
      return [reader.firstUnit()];
    },
  };
}

/** Decodes text by a decoder, as far as bytes are asked for. It reads the likeliest reading of each escape. */
class DecodingReader {
  private readonly decoder: Decoder;
  private readonly peekFromUnit: Peek;
  private readonly bytes: number[] = [];
  /** For each decoded byte: the number of encoded bytes up to the end of its escape. */
  private readonly encodedEnds: number[] = [];
  /** The number of encoded bytes that were read. */
  private readLength = 0;

  constructor(decoder: Decoder, peek: Peek) {
    this.decoder = decoder;
    this.peekFromUnit = (index) => peek(this.readLength + index);
  }

  /** Returns the decoded byte at an index, or {@link PENDING} or {@link END_OF_STREAM}. */
  byteAt(index: number): number {
    while (this.bytes.length <= index) {
      const unit = this.nextUnit();
      if (unit === undefined) return PENDING;
      this.readLength += unit.length;
      this.bytes.push(...unit.bytes);
      while (this.encodedEnds.length < this.bytes.length) this.encodedEnds.push(this.readLength);
    }
    return this.bytes[index] ?? PENDING;
  }

  /** Returns the number of encoded bytes of the first `length` decoded bytes, which must have been read. */
  encodedLength(length: number): number {
    return this.encodedEnds[length - 1] ?? 0;
  }

  /** Returns what the first escape stands for. One escape may stand for several bytes: a character that is not ASCII. */
  firstUnit(): Unit {
    const length = this.encodedLength(1);
    return { length, bytes: this.bytes.filter((_, index) => this.encodedEnds[index] === length) };
  }

  private nextUnit(): Unit | undefined {
    const first = this.peekFromUnit(0);
    if (first === PENDING) return undefined;
    if (!this.decoder.starts.includes(first)) return literalUnit(first);
    const units = this.decoder.decode(this.peekFromUnit);
    // Text that no encoder writes stands for itself.
    return units === undefined ? undefined : (units[0] ?? literalUnit(first));
  }
}

/** Returns the reading of a byte that stands for itself. */
export function literalUnit(byte: number): Unit {
  return { length: 1, bytes: [byte] };
}

/** Returns the value of a hexadecimal digit; -1 for any other byte. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lowerCase = byte | 0x20;
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x57 : -1;
}

/** Encodes a code point; undefined if there is no such character (RFC 3629, 3). */
export function utf8(code: number): readonly number[] | undefined {
  if (code < 0x80) return [code];
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return [...Buffer.from(String.fromCodePoint(code))];
}
