/**
 * Makes names and numbers that all fall into one bucket of the hash tables of QuickJS, whose hash has no secret key. Tests show
 * with them that many such variables do not stop the executable.
 */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** The engine keeps 28 bits of the hash of a text. */
const HASH_COUNT = 2 ** 28;
/** Names are made of blocks of so many letters. */
const BLOCK_LENGTH = 5;

/**
 * Returns the hash of QuickJS, a polynomial. Texts of one hash still have one hash if the same characters are put before or behind
 * them.
 */
function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (hash * 263 + text.charCodeAt(index)) % HASH_COUNT;
  return hash;
}

/** Yields pairs of blocks with the same hash. */
function* collidingBlocks(): Generator<readonly [string, string]> {
  const blocksByHash = new Map<number, string>();
  // A large odd step visits the blocks in no apparent order.
  for (let number = 1; ; number = (number + 7_368_787) % LETTERS.length ** BLOCK_LENGTH) {
    let text = "";
    for (let rest = number, index = 0; index < BLOCK_LENGTH; index++, rest = Math.floor(rest / LETTERS.length)) {
      text += LETTERS.charAt(rest % LETTERS.length);
    }
    const hash = hashOf(text);
    const other = blocksByHash.get(hash);
    if (other === undefined) blocksByHash.set(hash, text);
    else if (other !== text) yield [other, text];
  }
}

/** Returns names of variables that all have the same hash. Each pair of blocks doubles their number. */
export function createCollidingNames(count: number): string[] {
  let names = [""];
  for (const [first, second] of collidingBlocks()) {
    names = names.flatMap((name) => [name + first, name + second]);
    if (names.length >= count) break;
  }
  return names.slice(0, count);
}

/** The engine multiplies a number by this factor, modulo 2 to the power of 64, and takes the highest bits. */
const FACTOR = 0x61c8864680b583ebn;
const [WORD, TAG] = [1n << 64n, 1n << 31n];

/** Returns numbers that all fall into the first bucket in the table of an object with `count` properties. */
export function createCollidingNumbers(count: number): string[] {
  const bucketCount = BigInt(2 ** Math.ceil(Math.log2(count)));
  const bucketSize = WORD / bucketCount;
  const hash = (number: bigint): bigint => (number * FACTOR) % WORD;
  // The steps from one such number to the next are two, or both together (three-gap theorem).
  const stepsBack = (step: bigint): boolean => hash(step) > WORD - bucketSize;
  const stepsForth = (step: bigint): boolean => hash(step) < bucketSize;
  const findFirst = (isWanted: (step: bigint) => boolean): bigint => {
    let step = 1n;
    while (!isWanted(step)) step++;
    return step;
  };
  const steps = [findFirst(stepsForth), findFirst(stepsBack)].toSorted((first, second) => Number(first - second));
  steps.push(steps.reduce((sum, step) => sum + step));
  let number = TAG;
  while (hash(number) >= bucketSize) number++;
  const numbers: string[] = [];
  while (numbers.length < count) {
    numbers.push(String(number - TAG));
    const step = steps.find((candidate) => stepsForth(number + candidate));
    if (step === undefined) throw new Error("no further number");
    number += step;
  }
  return numbers;
}
