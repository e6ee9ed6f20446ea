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

export interface Occurrence {
  readonly start: number;
  readonly end: number;
  readonly encoding: Encoding;
  readonly pattern: string;
}

/** Finds in the simplest correct way: tries each pattern at each index in each encoding. */
export function occurrences(text: Buffer, patterns: Iterable<string>): readonly Occurrence[] {
  const all: Occurrence[] = [];
  for (const pattern of patterns) {
    const bytes = Buffer.from(pattern, "latin1");
    for (let start = 0; start < text.length; start++) {
      for (const encoding of [PLAIN, ...ENCODINGS]) {
        for (const end of endsOf(encoding, text, start, bytes)) {
          if (isEncodedForm(encoding, end - start)) all.push({ start, end, encoding, pattern });
        }
      }
    }
  }
  return all;
}

/** Returns the number of the pattern's first bytes that an occurrence shows before an index. */
export function shownBefore(text: Buffer, { start, encoding, pattern }: Occurrence, index: number): number {
  const bytes = Buffer.from(pattern, "latin1");
  let shown = 0;
  while (endsOf(encoding, text, start, bytes.subarray(0, shown + 1)).some((end) => end <= index)) shown += 1;
  return shown;
}

/** Masks what is found, and joins what overlaps. */
export function reference(text: Buffer, patterns: Iterable<string>): Buffer {
  const out: Buffer[] = [];
  let done = 0;
  for (const { start, end } of occurrences(text, patterns).toSorted((one, other) => one.start - other.start)) {
    if (start >= done) out.push(text.subarray(done, start), Buffer.from("***"));
    done = Math.max(done, end);
  }
  return Buffer.concat([...out, text.subarray(done)]);
}

/** Returns the ends of a pattern that begins at an index, one for each reading of its escapes. */
function endsOf(encoding: Encoding, text: Buffer, start: number, pattern: Buffer): readonly number[] {
  const ends: number[] = [];
  const seen = new Set<string>();
  const go = (at: number, matched: number, empty: number, afterReturn: boolean): void => {
    const key = `${at} ${matched} ${empty} ${String(afterReturn)}`;
    if (seen.has(key) || at >= text.length) return;
    seen.add(key);
    for (const { length, bytes } of unitsAt(encoding, text, at)) {
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
      if (count === pattern.length) ends.push(at + length);
      else go(at + length, count, drops, isReturn && encoding !== PLAIN);
    }
  };
  go(start, 0, 0, false);
  return ends;
}

function unitsAt(
  encoding: Encoding,
  text: Buffer,
  at: number,
): readonly { readonly length: number; readonly bytes: readonly number[] }[] {
  const byte = text[at] ?? 0;
  const literal = [{ length: 1, bytes: [byte] }];
  if (!encoding.starts.includes(byte) || encoding === LINE_ENDS) return literal;
  if (encoding === WRAPPED) return countBase64Before(text, at, 0) >= LINE_WIDTH ? [{ length: 1, bytes: [] }] : literal;
  const units = encoding.decoder?.decode((index) => text[at + index] ?? PENDING) ?? [];
  return encoding === JSON_STRING && endsEscapedLine(text, at, 0) ? [...units, { length: 2, bytes: [] }] : units;
}
