/**
 * What src/launch/standalone/before-bun.c puts in front of the names of variables that Bun is not to see. With nothing
 * behind it, the name of the variable in which it tells what the caller had set.
 */
const HELD = "SOPHIA_RUN_HELD_";
/** It sets this one, too. */
const THREAD_SIGNAL = "JSC_SIGNAL_FOR_GC";

/** @returns the name that the caller gave to a variable of this process; undefined where the variable is none of the caller's */
export function callersName(name: string): string | undefined {
  if (name.startsWith(HELD)) return name === HELD ? undefined : name.slice(HELD.length);
  return name === THREAD_SIGNAL && process.env[HELD] !== undefined ? undefined : name;
}

/** Which signals the caller ignored, by their numbers; Bun and this program may have changed some. */
export function callersIgnoredSignals(): readonly number[] {
  const digits = (process.env[HELD] ?? "").split(" ", 1)[0] ?? "";
  const bits = Array.from(digits.replaceAll(/./g, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, "0")));
  return bits.toReversed().flatMap((bit, index) => (bit === "1" ? [index + 1] : []));
}

/** Whether the working directory was deleted. Bun does not start there, and was told that it is the root. */
export function isFolderDeleted(): boolean {
  return process.env[HELD]?.split(" ")[1] === "deleted";
}
