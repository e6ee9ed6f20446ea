/** Returns random numbers from the kernel, for Math.random and node:crypto of the executable's runtime. */
import { natives } from "./native.ts";

const native = natives<{ readonly fillRandomly: (bytes: Uint8Array) => void }>();

/** A number of six bytes is below 2^53, so that a double can represent it exactly. */
const NUMBER_BYTES = 6;
/** Every result of {@link randomNumber} is smaller than this number, 2^48. */
export const RANDOM_LIMIT = 2 ** (8 * NUMBER_BYTES);

/** Returns an integer from 0 to `RANDOM_LIMIT - 1`, all equally likely. */
export function randomNumber(): number {
  const bytes = new Uint8Array(NUMBER_BYTES);
  native.fillRandomly(bytes);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
