/**
 * Reads ESC again while the program runs (`--refresh`). Files are not read again: they may have changed, and a pipe can be read
 * only once.
 */
import { renewEscAccess } from "../access/esc-access.ts";
import { readFromEsc } from "./open-store.ts";
import { resolveValues } from "./resolve-values.ts";
import type { Companions, Start } from "./start.ts";

/**
 * Resolves the values of ESC as they are now, with the files, the contract and the consent of the start.
 *
 * @throws SophiaError (125) as `readFromEsc` does; (esc-credential, 125) if `ESC_TOKEN_COMMAND` fails
 */
export async function readEscAgain(
  start: Omit<Start, "values" | "verdict">,
  companions: Companions,
): Promise<Pick<Start, "store" | "values">> {
  const { access } = start.store;
  if (access.kind !== "on") throw new TypeError("there is no ESC to read again");
  const opened = await readFromEsc(await renewEscAccess(access, start), start, companions);
  const store = { ...start.store, ...opened };
  return { store, values: await resolveValues({ ...start, store }) };
}
