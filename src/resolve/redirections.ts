/** Addresses that a file sets for keys of another source. Pure. Loaded only if a file may set such an address. */
import { isLoopbackUrl, keysSentTo } from "../core/key-addresses.ts";
import type { Layer, Origin } from "../core/model.ts";
import { isCallersWord } from "../esc/settings/from-files.ts";

export interface Trust {
  readonly isFound: (file: string) => boolean;
  readonly isContractNamed: boolean;
}

export type OriginsByName = ReadonlyMap<string, ReadonlySet<Origin>>;

export interface Addresses {
  /** Addresses that would send a key of another source elsewhere. */
  readonly redirections: OriginsByName;
  /** Addresses that files set, and their keys, which a nested sophia-run may get from another source. */
  readonly marked: readonly string[];
}

/**
 * Finds the addresses for keys that are set by neither the caller nor the caller's ESC nor a file that the caller named.
 * @param layers highest precedence first, with the names of aliases
 */
export function addressesIn(layers: readonly Layer[], trust: Trust, isAllowed: (name: string) => boolean): Addresses {
  const redirections = new Map<string, Set<Origin>>();
  const marked = new Set<string>();
  for (const { name, value, origin } of layers.flatMap(({ variables }) => variables)) {
    if (isCallersWord(origin)) continue;
    const keys = keysSentTo(name);
    // A contract that was found may use as an address only another name of the same address.
    const isPair = isSameAddress(name, origin) || trust.isContractNamed;
    if (keys.length === 0 || isTrusted(origin, trust, isPair)) continue;
    if (!isAllowed(name)) for (const one of [name, ...keys]) marked.add(one);
    if (value.trim() === "" || isLoopbackUrl(value)) continue;
    if (keys.some((key) => isOfOther(key, origin, isPair, layers))) {
      redirections.set(name, (redirections.get(name) ?? new Set()).add(origin));
    }
  }
  return { redirections, marked: [...marked] };
}

function isOfOther(key: string, address: Origin, isPair: boolean, layers: readonly Layer[]): boolean {
  const holder = layers.flatMap(({ variables }) => variables).find((one) => one.name === key && one.value !== "");
  return holder !== undefined && !isOneSource(holder.origin, address, isPair);
}

function isSameAddress(name: string, { alias }: Origin): boolean {
  return alias === undefined || keysSentTo(alias).join() === keysSentTo(name).join();
}

function isTrusted(origin: Origin, { isFound, isContractNamed }: Trust, isPair: boolean): boolean {
  switch (origin.source) {
    case "dotenv":
      return isPair && !isFound(origin.file);
    case "contract":
      return isContractNamed;
    case "environment":
      return isPair && origin.fromFile !== true;
    case "esc":
      return isPair && origin.openedBy === undefined;
    case "fake":
      return isPair;
  }
}

/**
 * Returns true for two origins in one file, or in what its credential has opened. The reverse does not hold: a file that only
 * names the user's token does not know the keys in ESC. An outer sophia-run has compared the origins that it marked.
 */
function isOneSource(key: Origin, address: Origin, isPair: boolean): boolean {
  if (key.source === "environment" && address.source === "environment") {
    return key.fromFile === true && address.fromFile === true;
  }
  if (address.source === "esc" && address.openedBy !== undefined) {
    return key.source === "esc" ? isPair : "file" in key && key.file === address.openedBy;
  }
  return "file" in key && "file" in address && key.file === address.file;
}
