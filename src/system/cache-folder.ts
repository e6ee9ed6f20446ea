import type { Environment } from "../core/model.ts";
import { within } from "./paths.ts";

/**
 * Returns sophia-run's folder in the user's cache (XDG Base Directory Specification): `XDG_CACHE_HOME`, else `.cache` in the
 * home, on Windows `LOCALAPPDATA`. Relative paths are ignored.
 */
export function cacheFolder(environment: Environment): string | undefined {
  const at = (name: string, below?: string): string | undefined => {
    const path = environment.get(name) ?? "";
    if (!path.startsWith("/") && !/^[a-z]:[\\/]/i.test(path)) return undefined;
    return below === undefined ? path : within(path, below);
  };
  const caches =
    at("XDG_CACHE_HOME") ?? (process.platform === "win32" ? at("LOCALAPPDATA") : undefined) ?? at("HOME", ".cache");
  return caches === undefined ? undefined : within(caches, "sophia-run");
}
