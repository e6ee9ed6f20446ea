/** Runs the stages of a start. Each takes the record of those before it, and returns the field that it adds. */
import type { Settings } from "../command-line/settings.ts";
import type { Folders } from "../core/context.ts";
import { reached } from "../core/phases.ts";
import { findPlaces } from "./find-places.ts";
import { reachVerdict } from "./reach-verdict.ts";
import { readFiles } from "./read-files.ts";
import { readStore, readStoreAgain } from "./read-store.ts";
import { resolveValues } from "./resolve-values.ts";
import type { Companions, Start } from "./start.ts";

/** The process that the program runs in, as far as the stages need it. */
export interface Caller extends Folders, Pick<Start, "environment"> {}

/**
 * Reads, resolves and checks all sources, by settings that are known.
 *
 * @throws SophiaError (125) for malformed settings, files and contracts, and for an ESC that is required and cannot be read
 */
export async function resolveStart(settings: Settings, caller: Caller, companions: Companions): Promise<Start> {
  let sources = await readSources(settings, caller, companions);
  for (;;) {
    const values = await resolveValues(sources);
    const verdict = await reachVerdict({ ...sources, values });
    const { esc } = sources.store;
    // Values of the cache were used without contacting ESC, which may have newer ones. Without a contract each start would ask.
    const isOutdated =
      verdict.violations.length > 0 && settings.enforceContract && esc.kind === "read" && esc.kept?.why === "fresh";
    if (!isOutdated) return { ...sources, values, verdict };
    sources = { ...sources, store: await readStoreAgain(sources, companions) };
    await companions.reportSources?.(sources);
  }
}

/** Runs the stages up to the store, for commands that need no verdict. @throws SophiaError (125) as `resolveStart` does */
export async function readSources(
  settings: Settings,
  caller: Caller,
  companions: Companions,
): Promise<Omit<Start, "values" | "verdict">> {
  const { environment } = caller;
  const places = findPlaces(settings, caller);
  const files = await readFiles({ environment, settings, places });
  reached("files read");
  const store = await readStore({ environment, settings, places, files }, companions);
  const sources = { environment, settings, places, files, store };
  await companions.reportSources?.(sources);
  return sources;
}
