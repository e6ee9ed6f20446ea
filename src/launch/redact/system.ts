import { SophiaError } from "../../core/error.ts";
import { loadRedactAddon, type RedactAddon } from "./addon.ts";
import { openWatcher, type Watcher } from "./watcher.ts";

/** What masking needs of the system; one for all programs that this process starts. */
export interface System {
  readonly addon: RedactAddon;
  readonly watcher: Watcher;
}

/**
 * @returns undefined where there is no addon
 * @throws SophiaError (redact-pipe, 125)
 */
export async function openSystem(): Promise<System | undefined> {
  const addon = await loadRedactAddon();
  if (addon === undefined) return undefined;
  const watcher = openWatcher(addon);
  if (typeof watcher === "string") throw noDescriptors(` (${watcher})`);
  return { addon, watcher };
}

export function noDescriptors(reason: string): SophiaError {
  return new SophiaError({
    code: "redact-pipe",
    message: `--redact needs a pipe, and the system gives none${reason}`,
    hint: "raise the limit on open files (ulimit -n)",
  });
}
