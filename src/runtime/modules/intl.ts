/** The part of Intl by which yargs measures the width of texts, all of them ours. */
class Segmenter {
  /** Splits into characters with their combining marks, a part of what Unicode's UAX #29 joins. */
  *segment(text: string): Generator<{ readonly segment: string }> {
    for (const [segment] of text.matchAll(/[\P{M}][\p{M}\u200D]*|\p{M}+/gu)) yield { segment };
  }
}

export const Intl = { Segmenter };
