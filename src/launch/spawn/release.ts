import { closeSync, fstatSync, openSync } from "node:fs";

/** Flag of open(2) in Linux: needs no permission for the file, which can be neither read nor written then. */
const O_PATH = 0o10000000;

/**
 * Closes what belongs to the program now, so that its streams end when it ends or closes them. Those of 0 to 2 are
 * opened again on something else: libraries write to them whatever they are, and at its exit Node resets the terminal
 * that it finds there to the settings that it had at the start. Throws nothing: the program runs.
 */
export function release(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) succeeds(() => closeSync(descriptor));
  for (const descriptor of [0, 1, 2]) {
    if (succeeds(() => fstatSync(descriptor))) continue;
    // open(2) takes the lowest free number. Not by "w", which would make a file: in a chroot there may be no /dev/null.
    const rootFlags = process.platform === "linux" ? O_PATH : "r";
    if (!succeeds(() => openSync("/dev/null", "r+"))) succeeds(() => openSync("/", rootFlags));
  }
}

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
