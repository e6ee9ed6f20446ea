import type { Environment } from "../core/model.ts";
import { within } from "./paths.ts";

/**
 * The user's own folder for caches (XDG Base Directory Specification): `XDG_CACHE_HOME`, else `.cache` in the home; on
 * Windows `LOCALAPPDATA`. Relative paths do not count.
 */
export function cacheFolder(environment: Environment): string | undefined {
  const at = (name: string): string | undefined => {
    const path = environment.get(name) ?? "";
    return path.startsWith("/") || /^[a-z]:[\\/]/i.test(path) ? path : undefined;
  };
  const home = at("HOME");
  const caches =
    at("XDG_CACHE_HOME") ??
    (process.platform === "win32" ? at("LOCALAPPDATA") : undefined) ??
    (home === undefined ? undefined : within(home, ".cache"));
  return caches === undefined ? undefined : within(caches, "sophia-run");
}
