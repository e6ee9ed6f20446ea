/** The kernel's random numbers. */
import { natives } from "./native.ts";

const native = natives<{ readonly fillRandomly: (bytes: Uint8Array) => void }>();

const BYTES = 6;
/** One more than the greatest number of {@link randomNumber}. */
export const RANDOM_LIMIT = 2 ** (8 * BYTES);

/** Returns a whole number from 0 to below {@link RANDOM_LIMIT}, each as likely. */
export function randomNumber(): number {
  const bytes = new Uint8Array(BYTES);
  native.fillRandomly(bytes);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
