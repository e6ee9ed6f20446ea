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

/**
 * Lets `inner` decode what `outer` has decoded. `outer` decodes as far as `inner` asks for bytes, and takes the likeliest reading of
 * each escape. With objects of a class in place of these closures, the search in TypeScript takes twice as long for JSON in JSON.
 */
function nestPair(outer: Decoder, inner: Decoder): Decoder {
  return {
    starts: [...new Set([...outer.starts, ...inner.starts])],
    decode: (peek) => {
      const decodedBytes: number[] = [];
      /** For each decoded byte: the number of encoded bytes up to the end of its escape. */
      const encodedEnds: number[] = [];
      let encodedLength = 0;
      const peekEncoded: Peek = (index) => peek(encodedLength + index);
      const peekDecoded: Peek = (index) => {
        while (decodedBytes.length <= index) {
          const first = peek(encodedLength);
          const units = outer.starts.includes(first) ? outer.decode(peekEncoded) : [];
          if (first === PENDING || units === undefined) return PENDING;
          // Text that no encoder writes stands for itself.
          const unit = units[0] ?? literalUnit(first);
          encodedLength += unit.length;
          decodedBytes.push(...unit.bytes);
          while (encodedEnds.length < decodedBytes.length) encodedEnds.push(encodedLength);
        }
        return decodedBytes[index] ?? PENDING;
      };
      const first = peekDecoded(0);
      if (first === PENDING) return undefined;
      if (inner.starts.includes(first)) {
        return inner.decode(peekDecoded)?.map((unit) => ({ ...unit, length: encodedEnds[unit.length - 1] ?? 0 }));
      }
      // One escape may stand for several bytes: a character that is not ASCII.
      const length = encodedEnds[0] ?? 0;
      return [{ length, bytes: decodedBytes.filter((_, index) => encodedEnds[index] === length) }];
    },
  };
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
