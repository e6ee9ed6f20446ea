import { base64Before, LINE_WIDTH } from "../../src/masking/escapes.ts";
import { MOST_EMPTY_UNITS } from "../../src/masking/candidate.ts";
import { MORE } from "../../src/masking/encodings/decoder.ts";
import { ENCODINGS, LINE_ENDS, PLAIN, WRAPPED, type Encoding } from "../../src/masking/encodings/encodings.ts";
import { isEncodedForm } from "../../src/masking/patterns.ts";

/** Masks in the simplest correct way: tries each pattern at each index in each encoding, and joins overlapping matches. */
export function reference(text: Buffer, patterns: Iterable<string>): Buffer {
  const matches: (readonly [start: number, end: number])[] = [];
  for (const pattern of patterns) {
    const bytes = Buffer.from(pattern, "latin1");
    for (let at = 0; at < text.length; at++) {
      for (const encoding of [PLAIN, ...ENCODINGS]) {
        for (const end of endsOf(encoding, text, at, bytes)) {
          if (isEncodedForm(encoding, end - at)) matches.push([at, end]);
        }
      }
    }
  }
  const out: Buffer[] = [];
  let done = 0;
  for (const [start, end] of matches.toSorted(([one], [other]) => one - other)) {
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
      if (!fits || drops > MOST_EMPTY_UNITS || (count === 0 && bytes.length === 0)) continue;
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
  if (encoding === WRAPPED) return base64Before(text, at, 0) >= LINE_WIDTH ? [{ length: 1, bytes: [] }] : literal;
  return encoding.decoder?.decode((index) => text[at + index] ?? MORE) ?? [];
}
