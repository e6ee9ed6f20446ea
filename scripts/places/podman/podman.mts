/** Podman, and the base images of the examples. */
import { succeed } from "../processes.ts";

/** Runs Podman, and returns its output. Throws what it reports. */
export function podman(...args: readonly string[]): Promise<string> {
  return succeed(["podman", ...args]);
}

/** Loads base images that the place's script has made: their archives, in a variable, a line each. */
export async function loadBaseImages(): Promise<void> {
  for (const archive of (process.env["BASE_IMAGES"] ?? "").trim().split("\n")) {
    await podman("load", "--quiet", "--input", archive);
  }
}
