/** Random numbers of the kernel, for Math.random and node:crypto. */
import { natives } from "./native.ts";

const native = natives<{ readonly fillRandomly: (bytes: Uint8Array) => void }>();

/** So many bytes make a number that a double holds exactly. */
const NUMBER_BYTES = 6;
/** All numbers of {@link randomNumber} are below this one. */
export const RANDOM_LIMIT = 2 ** (8 * NUMBER_BYTES);

/** Returns a whole number from 0 to below {@link RANDOM_LIMIT}, each with the same probability. */
export function randomNumber(): number {
  const bytes = new Uint8Array(NUMBER_BYTES);
  native.fillRandomly(bytes);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
