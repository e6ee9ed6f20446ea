/** The error for a profile that a contract does not have. */
import { SophiaError } from "../core/error.ts";
import { enumerate, printable } from "../core/text.ts";
import { suggest } from "../core/suggest.ts";

/** @param name how messages call the contract */
export function unknownProfile(name: string, profile: string, profiles: readonly string[]): SophiaError {
  const meant = suggest(profile, profiles);
  return new SophiaError({
    code: "contract-profile",
    message: `${printable(name)} has no profile "${printable(profile)}"`,
    hint:
      profiles.length === 0
        ? "leave out --profile and SOPHIA_PROFILE: this contract has no profiles"
        : `${meant === undefined ? "" : `did you mean ${printable(meant)}? `}choose ${enumerate(profiles.map(printable), "or")}`,
  });
}
