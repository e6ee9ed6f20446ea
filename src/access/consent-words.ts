/**
 * Describes for the user that a file which sophia-run found (a contract or a `.env` file) names an ESC environment, that the user
 * has not allowed it, and how to allow it.
 */
import type { Contract } from "../contract/contract-model.ts";
import { SophiaError } from "../core/error.ts";
import type { Unallowed } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { enumerate, printable } from "../core/text.ts";
import type { EscAccess, UnplacedReason } from "../esc/settings/access-settings.ts";
import { parentOf } from "../system/paths.ts";
import { isInside } from "../system/repository.ts";

/** Returns the facts about an access without consent that messages need. */
export function createUnallowedFacts(
  { proposal, why, unplaced }: Extract<EscAccess, { readonly kind: "unconsented" }>,
  contract: Pick<Contract, "profile" | "source" | "environment"> | undefined,
): Unallowed {
  const { environments, choices, credential } = proposal;
  const files = [...new Set(choices.map(({ file }) => file))];
  const { source, environment, profile } = contract ?? {};
  // If the file with the environment is not below the contract, `sophia-run allow` needs `--contract`: it would find
  // another contract.
  const needsContractOption =
    source?.kind === "file" && environment !== undefined && !isInside(environment.file, parentOf(source.path));
  const contractOption = needsContractOption ? { contract: source.path } : {};
  return { environments, files, credential: credential.name, why, unplaced, profile, ...contractOption };
}

/** The reasons why a consent cannot be remembered. */
export const UNPLACED_EXPLANATIONS: Readonly<Record<UnplacedReason, string>> = {
  path: "no consent can be remembered for a folder whose path is not UTF-8",
  outer: "no consent can be remembered for the file of an outer sophia-run",
};

/** The remedy if a consent cannot be remembered. */
export const ALLOW_FOR_ONE_RUN_REMEDY = "set ESC_ENV in the environment to the full name, or SOPHIA_ALLOW_ENVIRONMENT";

/** Describes an access without consent: the problem, and how the user, or the caller in CI, allows it. */
export function describeUnallowed({
  environments,
  files,
  credential,
  why,
  unplaced,
  profile,
  contract,
}: Unallowed): readonly [problem: string, remedy: string] {
  const names = enumerate(environments.map(printable));
  const shownFiles = enumerate(files.map(printable));
  const problem = `ESC is not read: ${shownFiles} names ${names}, which you have not allowed ${printable(credential)} to open`;
  const option = (name: string, value: string | undefined): string =>
    value === undefined ? "" : ` ${name} ${shellWord(value)}`;
  const command = `sophia-run allow${option("--contract", contract)}${option("--profile", profile)}`;
  if (unplaced !== undefined)
    return [problem, `${UNPLACED_EXPLANATIONS[unplaced]}: to allow it, ${ALLOW_FOR_ONE_RUN_REMEDY}`];
  const setting = "or set ESC_ENV in the environment";
  if (why === "unattended") {
    const patterns = environments.map(createAllowPattern).join(",");
    return [problem, `to allow it, set SOPHIA_ALLOW_ENVIRONMENT=${printable(patterns)} in the environment`];
  }
  return why === "agent"
    ? [problem, `a coding agent cannot allow it: the user must run ${command} in a terminal, ${setting}`]
    : [problem, `to allow it, run ${command}, ${setting}`];
}

/**
 * Returns the pattern of `SOPHIA_ALLOW_ENVIRONMENT` for an environment. If only the service knows the organization, it is
 * `*`.
 */
function createAllowPattern(name: string): string {
  const [path = ""] = name.split("@");
  const { length } = path.split("/");
  if (length === 3) return name;
  return length === 2 ? `*/${name}` : `*/default/${name}`;
}

/** Creates the error (esc-not-allowed, 125) for a command that needs ESC. @param introduction the beginning of the message */
export function createNotAllowedError(facts: Unallowed, introduction = ""): SophiaError {
  const [problem, hint] = describeUnallowed(facts);
  return new SophiaError({ code: "esc-not-allowed", message: introduction + problem, hint });
}
