/** Words an environment that a found file names, and that the user has not allowed. */
import type { Contract } from "../contract/contract-model.ts";
import { SophiaError } from "../core/error.ts";
import type { Unallowed } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { enumerate, printable } from "../core/text.ts";
import type { EscAccess, UnplacedReason } from "../esc/settings/access-settings.ts";
import { parentOf } from "../system/paths.ts";
import { isInside } from "../system/repository.ts";

/** Describes an access without consent, for messages. */
export function unallowed(
  { proposal, why, unplaced }: Extract<EscAccess, { readonly kind: "unconsented" }>,
  contract: Pick<Contract, "profile" | "source" | "environment"> | undefined,
): Unallowed {
  const { environments, by, credential } = proposal;
  const files = [...new Set(by.map(({ file }) => file))];
  const { source, environment, profile } = contract ?? {};
  // Without the option, allow would find another contract.
  const isElsewhere =
    source?.kind === "file" && environment !== undefined && !isInside(environment.file, parentOf(source.path));
  const named = isElsewhere ? { contract: source.path } : {};
  return { environments, files, credential: credential.name, why, unplaced, profile, ...named };
}

/** Why no consent is remembered. */
export const UNPLACED: Readonly<Record<UnplacedReason, string>> = {
  path: "no consent can be remembered for a folder whose path is not UTF-8",
  outer: "no consent can be remembered for the file of an outer sophia-run",
};

/** The remedy where none is. */
export const CALLERS_WORD = "set ESC_ENV in the environment to the full name, or SOPHIA_ALLOW_ENVIRONMENT";

/** Returns the problem, and the remedy. */
export function unallowedWords({
  environments,
  files,
  credential,
  why,
  unplaced,
  profile,
  contract,
}: Unallowed): readonly [string, string] {
  const names = enumerate(environments.map(printable));
  const chosen = `${enumerate(files.map(printable))} names ${names}`;
  const problem = `ESC is not read: ${chosen}, which you have not allowed ${printable(credential)} to open`;
  const option = (name: string, value: string | undefined): string =>
    value === undefined ? "" : ` ${name} ${shellWord(value)}`;
  const command = `sophia-run allow${option("--contract", contract)}${option("--profile", profile)}`;
  if (unplaced !== undefined) return [problem, `${UNPLACED[unplaced]}: to allow it, ${CALLERS_WORD}`];
  const setting = "or set ESC_ENV in the environment";
  if (why === "unattended") {
    const allowed = environments.map(asPattern).join(",");
    return [problem, `to allow it, set SOPHIA_ALLOW_ENVIRONMENT=${printable(allowed)} in the environment`];
  }
  return why === "agent"
    ? [problem, `a coding agent cannot allow it: the user must run ${command} in a terminal, ${setting}`]
    : [problem, `to allow it, run ${command}, ${setting}`];
}

/** Returns the environment as `SOPHIA_ALLOW_ENVIRONMENT` has it, with `*` for an organization that only the service knows. */
function asPattern(name: string): string {
  const { length } = name.split("@")[0]?.split("/") ?? [];
  return length === 3 ? name : length === 2 ? `*/${name}` : `*/default/${name}`;
}

/** Makes the error (esc-not-allowed, 125) for a command that needs ESC. */
export function notAllowed(of: Unallowed, before = ""): SophiaError {
  const [problem, hint] = unallowedWords(of);
  return new SophiaError({ code: "esc-not-allowed", message: before + problem, hint });
}
