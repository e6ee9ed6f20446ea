/** Names that have one place in a table of an engine without a key (QuickJS): by their text, or by their number. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** Bits of a text's hash that the engine keeps. */
const HASHES = 2 ** 28;
const BLOCK = 5;

/** The polynomial of QuickJS. Equal ones stay equal behind and before the same characters. */
function polynomial(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (hash * 263 + text.charCodeAt(index)) % HASHES;
  return hash;
}

/** Pairs of texts of the same length and polynomial. */
function* pairs(): Generator<readonly [string, string]> {
  const known = new Map<number, string>();
  // An odd step visits many blocks in no order.
  for (let number = 1; ; number = (number + 7_368_787) % LETTERS.length ** BLOCK) {
    let text = "";
    for (let rest = number, index = 0; index < BLOCK; index++, rest = Math.floor(rest / LETTERS.length)) {
      text += LETTERS.charAt(rest % LETTERS.length);
    }
    const hash = polynomial(text);
    const other = known.get(hash);
    if (other === undefined) known.set(hash, text);
    else if (other !== text) yield [other, text];
  }
}

/** Returns names of variables, all of one hash. */
export function collidingNames(count: number): string[] {
  let names = [""];
  for (const [one, other] of pairs()) {
    names = names.flatMap((name) => [name + one, name + other]);
    if (names.length >= count) break;
  }
  return names.slice(0, count);
}

const FACTOR = 0x61c8864680b583ebn;
const [WORD, TAG] = [1n << 64n, 1n << 31n];

/** Returns numbers, all of one place in the table of an object with so many properties. */
export function collidingNumbers(count: number): string[] {
  const places = BigInt(2 ** Math.ceil(Math.log2(count)));
  const within = WORD / places;
  const place = (number: bigint): bigint => (number * FACTOR) % WORD;
  // The steps from one such number to the next are two, or both together (three-gap theorem).
  const isBack = (step: bigint): boolean => place(step) > WORD - within;
  const isForth = (step: bigint): boolean => place(step) < within;
  const first = (is: (step: bigint) => boolean): bigint => {
    let step = 1n;
    while (!is(step)) step++;
    return step;
  };
  const steps = [first(isForth), first(isBack)].toSorted((one, other) => Number(one - other));
  steps.push(steps.reduce((sum, step) => sum + step));
  let number = TAG;
  while (place(number) >= within) number++;
  const found: string[] = [];
  while (found.length < count) {
    found.push(String(number - TAG));
    const step = steps.find((one) => isForth(number + one));
    if (step === undefined) throw new Error("no further number");
    number += step;
  }
  return found;
}
