/**
 * The interface of decoders, which decode one escape at a time, and the composition of several decoders. For JSON in a
 * URL, the decoder of JSON reads the output of the decoder of URLs.
 *
 * The text arrives in chunks, and any program may have written it. So a decoder may answer that it needs more bytes,
 * and it may return several readings: the different bytes for which the same escape may stand.
 */

/** Stands for a byte that has not arrived yet. */
export const PENDING = -1;
/** Stands for a byte after the end of the stream. */
export const END_OF_STREAM = -2;

/** Returns the byte at an index, counted from the start of the escape; or {@link PENDING} or {@link END_OF_STREAM}. */
export type Peek = (index: number) => number;

/** One reading of an escape, or of a byte that stands for itself. */
export interface Unit {
  /** The number of encoded bytes. */
  readonly length: number;
  /** The decoded bytes. There are none for a quote that only opens or closes a word. */
  readonly bytes: readonly number[];
  /** True for an escape that shells write and JSON does not have. */
  readonly isShell?: true;
}

export interface Decoder {
  /** The bytes with which an escape can begin. */
  readonly starts: readonly number[];
  /**
   * Decodes one escape, whose first byte is one of `starts`.
   *
   * @returns the possible readings, the likeliest first; an empty list if no encoder writes this; undefined if the
   *   readings depend on bytes that have not arrived yet
   */
  readonly decode: (peek: Peek) => readonly Unit[] | undefined;
}

/** Composes decoders, the outermost first. Only of the innermost one are all readings used. */
export function nestDecoders(levels: readonly Decoder[]): Decoder {
  const [outermost, ...innerLevels] = levels;
  if (outermost === undefined) throw new RangeError("no encoding");
  return innerLevels.reduce((outer, inner) => nestPair(outer, inner), outermost);
}

/**
 * Lets `inner` decode what `outer` has decoded. When `inner` asks for a byte, `outer` decodes up to this byte, and
 * takes the likeliest reading of each escape.
 *
 * If objects of a class replaced these closures, the search in TypeScript would take twice as long for JSON in JSON.
 */
function nestPair(outer: Decoder, inner: Decoder): Decoder {
  return {
    starts: [...new Set([...outer.starts, ...inner.starts])],
    decode: (peek) => {
      const decodedBytes: number[] = [];
      /** For each decoded byte, the number of encoded bytes up to the end of the escape that it comes from. */
      const encodedEnds: number[] = [];
      let encodedLength = 0;
      const peekEncoded: Peek = (index) => peek(encodedLength + index);
      const peekDecoded: Peek = (index) => {
        while (decodedBytes.length <= index) {
          const first = peek(encodedLength);
          const units = outer.starts.includes(first) ? outer.decode(peekEncoded) : [];
          if (first === PENDING || units === undefined) return PENDING;
          // Without a reading, the byte stands for itself.
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
      // An escape of the outer encoding may stand for all bytes of a character that is not ASCII.
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

/**
 * Encodes a code point in UTF-8 (RFC 3629). Returns undefined for a number that is not a code point, or is a surrogate.
 */
export function utf8(code: number): readonly number[] | undefined {
  if (code < 0x80) return [code];
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return [...Buffer.from(String.fromCodePoint(code))];
}
