/** Refuses a token for ESC that can be read only once. `--watch` and `--refresh` must read it again while the program runs. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Folders } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import type { Start } from "../../resolve/start.ts";
import { attempt } from "../../system/errors.ts";

/** Refuses a token from a pipe. @param option the option that the message names @throws SophiaError (settings, 125) */
export function refusePipedToken(
  option: string,
  { store: { esc } }: Pick<Start, "store">,
  { cwd }: Pick<Folders, "cwd">,
): void {
  if (!("settings" in esc)) return;
  const { credential, credentialFrom } = esc.settings;
  const isPipe = "path" in credential && attempt(() => statSync(resolve(cwd, credential.path)).isFIFO()) === true;
  if (!isPipe) return;
  throw new SophiaError({
    code: "settings",
    message: `${option} cannot read the token again: ${credentialFrom.name} is a pipe`,
    hint: "put the token into a file, or set ESC_TOKEN_COMMAND to the command that prints it",
  });
}
