import type { EscSettings, FoundAccess } from "../../src/esc/settings/access.ts";

/** The settings of an access by a token that is there, as if the user had allowed what a file names. */
export function usable(access: FoundAccess): EscSettings {
  if (access.kind !== "on" && access.kind !== "proposed") throw new Error(`ESC is ${access.kind}`);
  const { credential, ...settings } = access.settings;
  if (credential.kind === "token-command") throw new Error("the token is not printed yet");
  return { ...settings, credential };
}
