/** Podman, and the base images of the examples. */
import { BASE_IMAGES } from "../base-images.ts";
import { succeed } from "../processes.ts";

/** Runs Podman, and returns its output. Throws what it reports. */
export function podman(...args: readonly string[]): Promise<string> {
  return succeed(["podman", ...args]);
}

export async function loadBaseImages(): Promise<void> {
  for (const archive of BASE_IMAGES) await podman("load", "--quiet", "--input", archive);
}
