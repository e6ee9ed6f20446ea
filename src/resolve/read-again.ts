/** Reads ESC again while the program runs (`--aws-refresh`): files may have changed, and a pipe has no second content. */
import type { Assessment, AgainRequest } from "./assessment.ts";
import { accessAgain } from "./esc-access.ts";
import { readFromEsc } from "./from-esc.ts";
import { precede } from "./precede.ts";
import type { Sources } from "./read-sources.ts";

/**
 * Resolves the values of ESC as they are now, with the files, the contract and the consent of the start.
 *
 * @throws SophiaError (125) as `readFromEsc` does; (esc-credential, 125) if `ESC_TOKEN_COMMAND` fails
 */
export async function readAgain(sources: Sources, again: AgainRequest): Promise<Pick<Assessment, "esc" | "selected">> {
  const { access, dotenv } = sources;
  if (access.kind !== "on") return { esc: access, selected: new Map() };
  const request = { ...sources.request, ...again };
  const fetched = await readFromEsc(await accessAgain(access, request), request, dotenv.files);
  const { selected } = await precede({ ...sources, request, ...fetched });
  return { esc: fetched.esc, selected };
}
