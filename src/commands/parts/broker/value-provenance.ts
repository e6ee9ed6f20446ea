/**
 * Decides who is responsible for a value: the caller, ESC, or the authors of a file. The broker sends an API key only to an address
 * that the caller has set, or that comes from the same source as the key. A file that sophia-run found in a repository must not
 * redirect the user's key (`broker/service-address.ts`).
 */
import type { SourcedValue } from "../../../broker/service-address.ts";
import type { Origin, ResolvedVariable } from "../../../core/model.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { keysSentTo } from "../../../trust/key-addresses.ts";

/** The files that the user has named, so that the user is responsible for their content. */
export interface NamedFiles {
  /** True if the user named the contract (`--contract`, `SOPHIA_CONTRACT`). */
  readonly isContractNamed: boolean;
  /** True if the user named each of the `.env` files (`--dotenv`). */
  readonly areEnvFilesNamed: boolean;
}

/** The identifier of the source for all values for which the caller is responsible. */
export const CALLER_SOURCE = "the caller's environment";

/** Returns an identifier of a value's source. The same people are responsible for all values with the same identifier. */
export function sourceOf(origin: Origin, { areEnvFilesNamed }: NamedFiles): string {
  switch (origin.source) {
    case "environment":
      return origin.fromFile === true ? "files of an outer sophia-run" : CALLER_SOURCE;
    // The caller, or the system on behalf of the caller, has named the secrets folder.
    case "secrets":
      return CALLER_SOURCE;
    case "override":
    case "dotenv":
      return areEnvFilesNamed ? CALLER_SOURCE : `file ${origin.file}`;
    case "contract":
      return `file ${origin.file}`;
    case "esc":
    case "fake":
      return origin.source;
  }
}

/** Returns the value of an address variable, with the facts by which the plan trusts the address or not. */
export function createSourcedAddress(resolved: ResolvedVariable, files: NamedFiles): SourcedValue {
  return { value: resolved.value, source: findAddressSource(resolved, files), ...findAddressLocation(resolved, files) };
}

/**
 * Returns the same identifier as `sourceOf`, except for an address that the program gets by an alias. Otherwise a contract that was
 * only found could declare the address of another service as an alias, and so send a key to that service.
 */
function findAddressSource({ name, origin }: ResolvedVariable, files: NamedFiles): string {
  const { alias } = origin;
  if (alias === undefined || files.isContractNamed) return sourceOf(origin, files);
  const keys = keysSentTo(name);
  const isSameService = keys.length > 0 && keysSentTo(alias).join() === keys.join();
  return isSameService ? sourceOf(origin, files) : "the contract's alias";
}

/**
 * Returns the file that sets an address, and whether the authors of the repository may have written it there
 * (`mayBeFromRepository`).
 */
function findAddressLocation(
  { origin }: ResolvedVariable,
  { areEnvFilesNamed, isContractNamed }: NamedFiles,
): Pick<SourcedValue, "file" | "isEsc" | "mayBeFromRepository"> {
  const isRenamed = origin.alias !== undefined && !isContractNamed;
  switch (origin.source) {
    case "secrets":
      return { file: origin.file, mayBeFromRepository: isRenamed };
    case "override":
    case "dotenv":
      return { file: `${origin.file}:${origin.line}`, mayBeFromRepository: isRenamed || !areEnvFilesNamed };
    case "contract":
      return { file: origin.file, mayBeFromRepository: !isContractNamed };
    case "environment":
      return { mayBeFromRepository: isRenamed || origin.fromFile === true };
    case "esc":
      return {
        file: originWords(origin),
        isEsc: true,
        mayBeFromRepository: isRenamed || origin.openedBy !== undefined,
      };
    case "fake":
      return {};
  }
}
