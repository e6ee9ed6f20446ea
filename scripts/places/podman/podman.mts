/** Podman, and the base images of the examples. */
import { succeed } from "../processes.ts";

/** Runs Podman, and returns its output. Throws what it reports. */
export function podman(...args: readonly string[]): Promise<string> {
  return succeed(["podman", ...args]);
}

/** Loads base images that the place's script has made: their archives, in a variable, a line each. Others come from registries. */
export async function loadBaseImages(): Promise<void> {
  const archives = (process.env["BASE_IMAGES"] ?? "").split("\n").filter((archive) => archive !== "");
  for (const archive of archives) await podman("load", "--quiet", "--input", archive);
}
