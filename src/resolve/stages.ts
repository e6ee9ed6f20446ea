/** Runs the stages of a start in order. Each takes the record of the stages before it, and returns the field that it adds. */
import type { Settings } from "../command-line/settings.ts";
import type { Folders } from "../core/context.ts";
import { recordPhaseEnd } from "../core/phases.ts";
import { findPlaces } from "./find-places.ts";
import { reachVerdict } from "./reach-verdict.ts";
import { readFiles } from "./read-files.ts";
import { readStore, readStoreAgain } from "./read-store.ts";
import { resolveValues } from "./resolve-values.ts";
import type { Companions, Start } from "./start.ts";

/** The caller's environment and folders, which are the input of the stages. */
export interface Caller extends Folders, Pick<Start, "environment"> {}

/**
 * Runs all stages: reads the sources, resolves the values, and checks them. If cached values that were used without contacting ESC
 * do not meet the contract, ESC is read, and the values are resolved and checked again.
 *
 * @throws SophiaError (125) for malformed settings, files and contracts, and for an ESC that is required and cannot be read
 */
export async function resolveStart(settings: Settings, caller: Caller, companions: Companions): Promise<Start> {
  let sources = await readSources(settings, caller, companions);
  for (;;) {
    const values = await resolveValues(sources);
    const verdict = await reachVerdict({ ...sources, values });
    const { esc } = sources.store;
    // ESC may have newer values. If the contract is not enforced, each start would contact ESC, and the cache would be of no use.
    const isOutdated =
      verdict.violations.length > 0 && settings.enforceContract && esc.kind === "read" && esc.cacheUse?.why === "fresh";
    if (!isOutdated) return { ...sources, values, verdict };
    sources = { ...sources, store: await readStoreAgain(sources, companions) };
    await companions.reportSources?.(sources);
  }
}

/** Runs the stages up to the store. Some commands need no more. @throws SophiaError (125) as `resolveStart` does */
export async function readSources(
  settings: Settings,
  caller: Caller,
  companions: Companions,
): Promise<Omit<Start, "values" | "verdict">> {
  const { environment } = caller;
  const places = findPlaces(settings, caller);
  const files = await readFiles({ environment, settings, places });
  recordPhaseEnd("files read");
  const store = await readStore({ environment, settings, places, files }, companions);
  const sources = { environment, settings, places, files, store };
  await companions.reportSources?.(sources);
  return sources;
}
