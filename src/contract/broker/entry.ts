/**
 * Compiles what a contract says about one key: from its `broker` member, its probe, and what is built in; pure. Loaded only for
 * --broker, and for contracts with a `broker` member.
 */
import type { BrokerMember } from "../generated/document.ts";
import type { Declaration } from "../contract-model.ts";
import { deriveFromProbe, type ProbedKey } from "./from-probe.ts";
import { type BrokerEntry, slotOf } from "./broker-model.ts";
import { parseRules } from "./path-rules.ts";
import { providerOf } from "./providers.ts";

/** The parts of a declaration on which the entry depends. */
export type Brokerable = Pick<Declaration, "name" | "secret" | "deprecated" | "probe" | "broker">;

/**
 * Returns the entry of a declared variable, whose aliases are further names of the same key. The entry is empty if the contract
 * changes nothing that is built in.
 *
 * @returns undefined for a key that is never brokered
 */
export function brokerEntryOf(declaration: Brokerable): BrokerEntry | undefined {
  const { name, secret, deprecated, probe, broker } = declaration;
  if (broker === false) return undefined;
  const isBuiltIn = providerOf(name) !== undefined;
  if (broker === undefined) return isBuiltIn && secret && deprecated === undefined ? {} : undefined;
  const member = broker === true ? {} : compileMember(broker);
  return isBuiltIn ? member : { ...inferEntry(name, member, deriveFromProbe(name, probe)), ...member };
}

/** Returns the variables that the program gets for a brokered key, each with its path. */
export function baseOf(name: string, entry: BrokerEntry): Readonly<Record<string, string>> {
  return entry.base ?? providerOf(name)?.base ?? {};
}

type Writable = { -readonly [Key in keyof BrokerEntry]: BrokerEntry[Key] };

function compileMember({
  upstream,
  headers,
  base,
  prefix,
  allow,
  deny,
  limit,
  ssh,
}: Exclude<BrokerMember, boolean>): BrokerEntry {
  const entry: Writable = {};
  if (upstream !== undefined) entry.upstream = upstream;
  if (headers !== undefined) entry.slots = headers.map(slotOf);
  if (base !== undefined) entry.base = base;
  if (prefix !== undefined) entry.prefix = prefix;
  if (allow !== undefined) entry.allow = parseRules(allow);
  if (deny !== undefined) entry.deny = parseRules(deny);
  if (limit !== undefined) entry.limit = limit;
  if (ssh !== undefined) entry.ssh = ssh;
  return entry;
}

/** Returns what follows from the probe of a key for which nothing is built in. @param member what the contract says itself */
function inferEntry(name: string, member: BrokerEntry, { upstream, slots }: ProbedKey): BrokerEntry {
  if (slots.length === 0) return upstream === undefined ? {} : { upstream };
  if (upstream === undefined) return { slots };
  const addressVariable = variableIn(member.upstream ?? upstream) ?? addressName(name);
  return { upstream, slots, base: { [addressVariable]: "" } };
}

/** Returns NAME of an upstream `${NAME}`; undefined for an origin. */
export function variableIn(upstream: string): string | undefined {
  return /^\$\{([^{}]*)\}$/.exec(upstream)?.[1];
}

/** Returns a variable for the address of a key's service: `SEARCH_BASE_URL` for `SEARCH_API_KEY` or `SEARCH_TOKEN`. */
export function addressName(key: string): string {
  return `${key.replace(/(?<=.)_(?:(?:API|ACCESS|AUTH|SECRET)_)?(?:KEY|TOKEN|SECRET)$/i, "")}_BASE_URL`;
}
