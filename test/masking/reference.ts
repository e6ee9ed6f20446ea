/** A search that is simple enough to be obviously correct. Tests compare the fast searches with it. */
import { countBase64Before, endsEscapedLine, LINE_WIDTH } from "../../src/masking/escapes.ts";
import { MAX_EMPTY_UNITS } from "../../src/masking/candidate.ts";
import { PENDING } from "../../src/masking/encodings/decoder.ts";
import {
  ENCODINGS,
  JSON_STRING,
  LINE_ENDS,
  PLAIN,
  WRAPPED,
  type Encoding,
} from "../../src/masking/encodings/encodings.ts";
import { isEncodedForm } from "../../src/masking/patterns.ts";

/** A secret in a text: the offsets of its bytes in the text, its encoding, and the pattern that it matches. */
export interface Occurrence {
  readonly start: number;
  readonly end: number;
  readonly encoding: Encoding;
  readonly pattern: string;
}

/** Finds all occurrences of the patterns: tries each pattern at each index in each encoding. */
export function findOccurrences(text: Buffer, patterns: Iterable<string>): readonly Occurrence[] {
  const occurrences: Occurrence[] = [];
  for (const pattern of patterns) {
    const bytes = Buffer.from(pattern, "latin1");
    for (let start = 0; start < text.length; start++) {
      for (const encoding of [PLAIN, ...ENCODINGS]) {
        for (const end of findEnds(encoding, text, start, bytes)) {
          if (isEncodedForm(encoding, end - start)) occurrences.push({ start, end, encoding, pattern });
        }
      }
    }
  }
  return occurrences;
}

/** Counts how many of the pattern's first bytes an occurrence shows before an index. */
export function countShownBytes(text: Buffer, { start, encoding, pattern }: Occurrence, index: number): number {
  const bytes = Buffer.from(pattern, "latin1");
  let shownBytes = 0;
  while (findEnds(encoding, text, start, bytes.subarray(0, shownBytes + 1)).some((end) => end <= index))
    shownBytes += 1;
  return shownBytes;
}

/** Returns the text with `***` for each occurrence, and one `***` for occurrences that overlap. */
export function maskReference(text: Buffer, patterns: Iterable<string>): Buffer {
  const out: Buffer[] = [];
  let maskedEnd = 0;
  for (const { start, end } of findOccurrences(text, patterns).toSorted((left, right) => left.start - right.start)) {
    if (start >= maskedEnd) out.push(text.subarray(maskedEnd, start), Buffer.from("***"));
    maskedEnd = Math.max(maskedEnd, end);
  }
  return Buffer.concat([...out, text.subarray(maskedEnd)]);
}

/**
 * Returns the offsets at which the pattern may end if it begins at `start`. Each way to decode the escapes may have another end.
 */
function findEnds(encoding: Encoding, text: Buffer, start: number, pattern: Buffer): readonly number[] {
  const ends: number[] = [];
  const visited = new Set<string>();
  const matchFrom = (index: number, matched: number, empty: number, afterReturn: boolean): void => {
    const key = `${index} ${matched} ${empty} ${String(afterReturn)}`;
    if (visited.has(key) || index >= text.length) return;
    visited.add(key);
    for (const { length, bytes } of decodeUnits(encoding, text, index)) {
      let [count, isReturn] = [matched, afterReturn];
      let fits = true;
      for (const byte of bytes) {
        const isSecondHalf = isReturn && byte === 10;
        isReturn = byte === 13;
        if (isSecondHalf) continue;
        if (count === pattern.length) break;
        fits = pattern[count] === (isReturn && encoding !== PLAIN ? 10 : byte);
        if (!fits) break;
        count += 1;
      }
      const drops = bytes.length === 0 ? empty + 1 : 0;
      if (!fits || drops > MAX_EMPTY_UNITS || (count === 0 && bytes.length === 0)) continue;
      if (count === pattern.length) ends.push(index + length);
      else matchFrom(index + length, count, drops, isReturn && encoding !== PLAIN);
    }
  };
  matchFrom(start, 0, 0, false);
  return ends;
}

/** Returns each way to decode the next unit of the text: its length in the text, and the bytes that it stands for. */
function decodeUnits(
  encoding: Encoding,
  text: Buffer,
  offset: number,
): readonly { readonly length: number; readonly bytes: readonly number[] }[] {
  const byte = text[offset] ?? 0;
  const literal = [{ length: 1, bytes: [byte] }];
  if (!encoding.starts.includes(byte) || encoding === LINE_ENDS) return literal;
  if (encoding === WRAPPED)
    return countBase64Before(text, offset, 0) >= LINE_WIDTH ? [{ length: 1, bytes: [] }] : literal;
  const units = encoding.decoder?.decode((index) => text[offset + index] ?? PENDING) ?? [];
  return encoding === JSON_STRING && endsEscapedLine(text, offset, 0) ? [...units, { length: 2, bytes: [] }] : units;
}
