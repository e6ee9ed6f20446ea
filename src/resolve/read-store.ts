/** Stage 4 of a start: reads the values of Pulumi ESC. Most of its code is loaded only if a setting for ESC is present. */
import { isEscMentioned } from "../esc/settings/own-variables.ts";
import type { Companions, Start, Store } from "./start.ts";

/** A start after stage 3. */
type StartWithFiles = Pick<Start, "environment" | "settings" | "places" | "files">;

const NO_VALUES = { accessNotices: [], layers: [], notices: [] };

/**
 * Decides which ESC environments may be opened with which credential, and opens them. All files have been read before, so that
 * ESC is not contacted if a file has a fault.
 *
 * @throws SophiaError (125) for malformed settings, and for an ESC that is required and cannot be read
 */
export async function readStore(start: StartWithFiles, companions: Companions): Promise<Store> {
  const { environment, settings, places, files } = start;
  const { contract, dotenv } = files;
  if (settings.fake !== undefined) return { access: { kind: "fake" }, esc: { kind: "fake" }, ...NO_VALUES };
  const isOff = contract.environment === undefined && !isEscMentioned(environment, dotenv.layers);
  if (isOff && !settings.requireEsc) return { access: { kind: "off" }, esc: { kind: "off" }, ...NO_VALUES };
  const [{ resolveEscAccess }, { readFromEsc, requireAccess }] = [
    await import("../access/esc-access.ts"),
    await import("./open-store.ts"),
  ];
  const request = { environment, settings, ...places, ...companions };
  const { access, notices: accessNotices } = await resolveEscAccess(request, dotenv, contract);
  if (settings.requireEsc) await requireAccess(access, accessNotices, environment);
  return { access, accessNotices, ...(await readFromEsc(access, start, companions)) };
}

/**
 * Opens ESC by the same access, if cached values that were used without contacting ESC do not meet the contract. Without
 * `cacheFreshMs`, the cache is used only if ESC is not available.
 */
export async function readStoreAgain(
  start: StartWithFiles & Pick<Start, "store">,
  companions: Companions,
): Promise<Store> {
  const { readFromEsc } = await import("./open-store.ts");
  const settings = { ...start.settings, cache: true, cacheFreshMs: undefined };
  return { ...start.store, ...(await readFromEsc(start.store.access, { ...start, settings }, companions)) };
}
