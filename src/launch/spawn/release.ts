import { closeSync, fstatSync, openSync } from "node:fs";

/** Flag of open(2) in Linux: needs no permission for the file, which can be neither read nor written then. */
const O_PATH = 0o10000000;

/**
 * What stands in for a stream, and how it is opened. Not by "w", which would make a file where there is none: in a
 * chroot /dev/null may be missing, or not be this user's to open.
 */
const STAND_INS = [
  ["/dev/null", "r+"],
  ["/", process.platform === "linux" ? O_PATH : "r"],
] as const;

/**
 * Closes what belongs to the program now, so that its streams end when it ends or closes them. Those of 0 to 2 are
 * opened again on something else: libraries write to them whatever they are, and at its exit Node resets the terminal
 * that it finds there to the settings that it had at the start. Throws nothing: the program runs.
 */
export function release(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) {
    try {
      closeSync(descriptor);
    } catch {
      // Closed already.
    }
  }
  // open(2) takes the lowest free number.
  for (const descriptor of [0, 1, 2]) if (!isOpen(descriptor)) openStandIn();
}

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor);
    return true;
  } catch {
    return false;
  }
}

function openStandIn(): void {
  for (const [path, flags] of STAND_INS) {
    try {
      openSync(path, flags);
      return;
    } catch {
      // The next one; without any the number stays free.
    }
  }
}
