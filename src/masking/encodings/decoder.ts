/** Decoders of escaped text, one escape at a time, and their composition (JSON in a URL); pure. */

/** In place of a byte that has not come yet. */
export const MORE = -1;
/** In place of a byte after the end of the stream. */
export const END = -2;

/** Returns the byte at an index from the start of the escape, or {@link MORE} or {@link END}. */
export type Peek = (index: number) => number;

export interface Unit {
  readonly length: number;
  /** The decoded bytes; none for a quote that only opens or closes. */
  readonly bytes: readonly number[];
  /** Set for an escape of shells that JSON does not have. */
  readonly isShell?: true;
}

export interface Decoder {
  readonly starts: readonly number[];
  /** @returns the possible readings, the likeliest first; none if no encoder writes this; undefined if more bytes decide */
  readonly decode: (peek: Peek) => readonly Unit[] | undefined;
}

/** Composes decoders, the outermost first. Only the innermost has more than one reading. */
export function nested(levels: readonly Decoder[]): Decoder {
  const [outermost, ...inner] = levels;
  if (outermost === undefined) throw new RangeError("no encoding");
  return inner.reduce((outer, one) => inside(outer, one), outermost);
}

function inside(outer: Decoder, inner: Decoder): Decoder {
  return {
    starts: [...new Set([...outer.starts, ...inner.starts])],
    decode: (peek) => {
      const bytes: number[] = [];
      /** For each decoded byte, the number of encoded bytes up to its end. */
      const ends: number[] = [];
      let read = 0;
      const peekEncoded: Peek = (index) => peek(read + index);
      const byteAt: Peek = (index) => {
        while (bytes.length <= index) {
          const first = peek(read);
          const units = outer.starts.includes(first) ? outer.decode(peekEncoded) : [];
          if (first === MORE || units === undefined) return MORE;
          const unit = units[0] ?? { length: 1, bytes: [first] };
          read += unit.length;
          bytes.push(...unit.bytes);
          while (ends.length < bytes.length) ends.push(read);
        }
        return bytes[index] ?? MORE;
      };
      const first = byteAt(0);
      if (first === MORE) return undefined;
      if (inner.starts.includes(first)) {
        return inner.decode(byteAt)?.map((unit) => ({ ...unit, length: ends[unit.length - 1] ?? 0 }));
      }
      // A character that is not ASCII has several bytes.
      const length = ends[0] ?? 0;
      return [{ length, bytes: bytes.filter((_, index) => ends[index] === length) }];
    },
  };
}

export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Encodes a code point; undefined if there is no such character (RFC 3629, 3). */
export function utf8(code: number): readonly number[] | undefined {
  if (code < 0x80) return [code];
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return [...Buffer.from(String.fromCodePoint(code))];
}
