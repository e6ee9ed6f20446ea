/** Stage 4 of a start: what Pulumi ESC gives. Most of its code is loaded only if ESC is mentioned. */
import { isEscMentioned } from "../esc/settings/own-variables.ts";
import type { Companions, Start, Store } from "./start.ts";

type Started = Pick<Start, "environment" | "settings" | "places" | "files">;

const NOTHING = { accessNotices: [], layers: [], notices: [] };

/**
 * Finds who may open what, and opens it. The files have been read before: a fault in one opens nothing.
 *
 * @throws SophiaError (125) for malformed settings, and for an ESC that is required and cannot be read
 */
export async function readStore(start: Started, companions: Companions): Promise<Store> {
  const { environment, settings, places, files } = start;
  const { contract, dotenv } = files;
  if (settings.fake !== undefined) return { access: { kind: "fake" }, esc: { kind: "fake" }, ...NOTHING };
  const isOff = contract.environment === undefined && !isEscMentioned(environment, dotenv.layers);
  if (isOff && !settings.requireEsc) return { access: { kind: "off" }, esc: { kind: "off" }, ...NOTHING };
  const [{ accessToEsc }, { readFromEsc, requireAccess }] = [
    await import("../access/esc-access.ts"),
    await import("./open-store.ts"),
  ];
  const request = { environment, settings, ...places, ...companions };
  const { access, notices: accessNotices } = await accessToEsc(request, dotenv, contract);
  if (settings.requireEsc) await requireAccess(access, accessNotices, environment);
  return { access, accessNotices, ...(await readFromEsc(access, start, companions)) };
}

/** Opens ESC again by the same access, in place of values of the cache that were used without contacting it. */
export async function readStoreAgain(start: Started & Pick<Start, "store">, companions: Companions): Promise<Store> {
  const { readFromEsc } = await import("./open-store.ts");
  const settings = { ...start.settings, cache: true, cacheFreshMs: undefined };
  return { ...start.store, ...(await readFromEsc(start.store.access, { ...start, settings }, companions)) };
}
