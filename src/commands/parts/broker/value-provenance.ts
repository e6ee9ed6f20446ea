/**
 * Tells the broker's plan who wrote a value. A key may go to an address that the caller wrote, or that the key's own source
 * wrote. A file that was only found in a repository must not redirect the user's key (`broker/service-address.ts`).
 */
import type { SourcedValue } from "../../../broker/service-address.ts";
import type { Origin, Resolved } from "../../../core/model.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { keysSentTo } from "../../../trust/key-addresses.ts";

/** The files that the user named, and is therefore responsible for. */
export interface NamedFiles {
  /** The user named the contract (`--contract`, `SOPHIA_CONTRACT`). */
  readonly isContractNamed: boolean;
  /** The user named each of the `.env` files (`--dotenv`). */
  readonly areEnvFilesNamed: boolean;
}

/** The source of all values for which the caller is responsible. */
export const CALLER = "the caller's environment";

/** Returns an identifier of a value's source. Values with the same identifier were written by the same people. */
export function sourceOf(origin: Origin, { areEnvFilesNamed }: NamedFiles): string {
  switch (origin.source) {
    case "environment":
      return origin.fromFile === true ? "files of an outer sophia-run" : CALLER;
    // The caller, or the system, has named the secrets folder.
    case "secrets":
      return CALLER;
    case "override":
    case "dotenv":
      return areEnvFilesNamed ? CALLER : `file ${origin.file}`;
    case "contract":
      return `file ${origin.file}`;
    case "esc":
    case "fake":
      return origin.source;
  }
}

/** Returns the value of an address variable, with what the plan needs to know in order to trust it or not. */
export function sourcedAddress(resolved: Resolved, files: NamedFiles): SourcedValue {
  return { value: resolved.value, source: addressSourceOf(resolved, files), ...locationOf(resolved, files) };
}

/**
 * Returns the same identifier as `sourceOf`, except for an address that an alias has renamed. A contract that was only
 * found could otherwise declare another service's address as an alias, and so send a key to that service.
 */
function addressSourceOf({ name, origin }: Resolved, files: NamedFiles): string {
  const { alias } = origin;
  if (alias === undefined || files.isContractNamed) return sourceOf(origin, files);
  const keys = keysSentTo(name);
  const isSameService = keys.length > 0 && keysSentTo(alias).join() === keys.join();
  return isSameService ? sourceOf(origin, files) : "the contract's alias";
}

/** Returns where an address is set, and whether the authors of the repository may have written it there (`isFound`). */
function locationOf(
  { origin }: Resolved,
  { areEnvFilesNamed, isContractNamed }: NamedFiles,
): Pick<SourcedValue, "file" | "isEsc" | "isFound"> {
  const isRenamed = origin.alias !== undefined && !isContractNamed;
  switch (origin.source) {
    case "secrets":
      return { file: origin.file, isFound: isRenamed };
    case "override":
    case "dotenv":
      return { file: `${origin.file}:${origin.line}`, isFound: isRenamed || !areEnvFilesNamed };
    case "contract":
      return { file: origin.file, isFound: !isContractNamed };
    case "environment":
      return { isFound: isRenamed || origin.fromFile === true };
    case "esc":
      return { file: originWords(origin), isEsc: true, isFound: isRenamed || origin.openedBy !== undefined };
    case "fake":
      return {};
  }
}
