/** Addresses of a file for keys of another source; pure. */
import { keysSentTo } from "../core/key-addresses.ts";
import { isLoopbackUrl } from "../core/loopback.ts";
import type { Layer, Origin, Variable } from "../core/model.ts";
import { isCallersWord } from "../esc/settings/from-files.ts";

/** Which files may say where a key goes. */
export interface Trust {
  /** Whether a `.env` file was found, not named. */
  readonly isFound: (file: string) => boolean;
  /** The caller named the contract. */
  readonly isContractNamed: boolean;
}

/** Variables by their names, each with its places. */
export type Places = ReadonlyMap<string, ReadonlySet<Origin>>;

/**
 * Finds the variables by which a file that was found would send a key elsewhere that is not of this file: of the process
 * environment, of ESC, or of another file. Addresses of this machine send it nowhere.
 *
 * @param layers highest precedence first, with the names that the contract gives by aliases
 * @param addresses those in the layers, see {@link addressesOfFiles}
 */
export function findRedirections(layers: readonly Layer[], addresses: readonly Variable[]): Places {
  const found = new Map<string, Set<Origin>>();
  for (const { name, value, origin } of addresses) {
    if (value.trim() === "" || isLoopbackUrl(value)) continue;
    const isOfOther = (key: string): boolean => {
      const holder = layers.flatMap(({ variables }) => variables).find((one) => one.name === key && one.value !== "");
      return holder !== undefined && !isOneFile(holder.origin, origin);
    };
    if (keysSentTo(name).some(isOfOther)) found.set(name, (found.get(name) ?? new Set()).add(origin));
  }
  return found;
}

/**
 * The names of addresses that files set, and of the keys that go there: what a sophia-run in the program has to know of
 * them, which may get the key from another source.
 *
 * @param isAllowed the caller said of the name that it is passed on
 */
export function namesToMark(addresses: readonly Variable[], isAllowed: (name: string) => boolean): readonly string[] {
  const names = addresses.map(({ name }) => name).filter((name) => !isAllowed(name));
  return [...new Set(names.flatMap((name) => [name, ...keysSentTo(name)]))];
}

/**
 * The addresses for keys that neither the caller nor ESC has set, nor a file that the caller named.
 *
 * @param layers with the names that the contract gives by aliases
 */
export function addressesOfFiles(layers: readonly Layer[], trust: Trust): readonly Variable[] {
  return layers.flatMap(({ variables }) =>
    variables.filter(
      ({ name, origin }) => !isCallersWord(origin) && keysSentTo(name).length > 0 && !isTrusted(name, origin, trust),
    ),
  );
}

function isTrusted(name: string, origin: Origin, { isFound, isContractNamed }: Trust): boolean {
  const { alias } = origin;
  // A contract that was found makes no address of another variable, but of a further name of the same address.
  const isPair = alias === undefined || isContractNamed || keysSentTo(alias).join() === keysSentTo(name).join();
  switch (origin.source) {
    case "dotenv":
      return isPair && !isFound(origin.file);
    case "contract":
      return isContractNamed;
    case "environment":
      return isPair && origin.fromFile !== true;
    case "esc":
    case "fake":
      return isPair;
  }
}

/** Returns true for two places in one file. What an outer sophia-run had from files it has compared itself. */
function isOneFile(key: Origin, address: Origin): boolean {
  if (key.source === "environment" && address.source === "environment") {
    return key.fromFile === true && address.fromFile === true;
  }
  return "file" in key && "file" in address && key.file === address.file;
}
