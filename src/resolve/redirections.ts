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
 * Finds the addresses for keys that are set by neither the caller nor ESC nor a file that the caller named.
 * @param layers highest precedence first, with the names of aliases
 */
export function addressesIn(layers: readonly Layer[], trust: Trust, isAllowed: (name: string) => boolean): Addresses {
  const redirections = new Map<string, Set<Origin>>();
  const marked = new Set<string>();
  for (const { name, value, origin } of layers.flatMap(({ variables }) => variables)) {
    if (isCallersWord(origin)) continue;
    const keys = keysSentTo(name);
    if (keys.length === 0 || isTrusted(name, origin, trust)) continue;
    if (!isAllowed(name)) for (const one of [name, ...keys]) marked.add(one);
    if (value.trim() === "" || isLoopbackUrl(value)) continue;
    if (keys.some((key) => isOfOther(key, origin, layers))) {
      redirections.set(name, (redirections.get(name) ?? new Set()).add(origin));
    }
  }
  return { redirections, marked: [...marked] };
}

function isOfOther(key: string, address: Origin, layers: readonly Layer[]): boolean {
  const holder = layers.flatMap(({ variables }) => variables).find((one) => one.name === key && one.value !== "");
  return holder !== undefined && !isOneFile(holder.origin, address);
}

function isTrusted(name: string, origin: Origin, { isFound, isContractNamed }: Trust): boolean {
  const { alias } = origin;
  // A contract that was found may use as an address only another name of the same address.
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

/** Returns true for two origins in one file. An outer sophia-run has compared the origins that it marked. */
function isOneFile(key: Origin, address: Origin): boolean {
  if (key.source === "environment" && address.source === "environment") {
    return key.fromFile === true && address.fromFile === true;
  }
  return "file" in key && "file" in address && key.file === address.file;
}
