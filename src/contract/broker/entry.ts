/**
 * Decides what the broker knows about a key: from the `broker` member of its variable, from the variable's probe, and
 * from the built-in services (providers.ts). This is imported only for `--broker`, and to check contracts with a
 * `broker` member.
 */
import type { BrokerMember } from "../generated/document.ts";
import type { Declaration } from "../contract-model.ts";
import { deriveFromProbe, type ProbedKey } from "./from-probe.ts";
import { type BrokerEntry, parseSlot } from "./broker-model.ts";
import { parseRules } from "./path-rules.ts";
import { providerOf } from "./providers.ts";

/** The fields of a declaration on which the broker's entry depends. */
export type Brokerable = Pick<Declaration, "name" | "secret" | "deprecated" | "probe" | "broker">;

/**
 * Returns the broker's entry for a declared variable. The entry is empty if the contract changes nothing that is built
 * in.
 *
 * @returns undefined if the broker does not hold the value of this variable
 */
export function compileBrokerEntry(declaration: Brokerable): BrokerEntry | undefined {
  const { name, secret, deprecated, probe, broker } = declaration;
  if (broker === false) return undefined;
  const isBuiltIn = providerOf(name) !== undefined;
  // Without the member, only built-in keys are brokered, if they are secret and in use.
  if (broker === undefined) return isBuiltIn && secret && deprecated === undefined ? {} : undefined;
  const member = broker === true ? {} : compileMember(broker);
  return isBuiltIn ? member : { ...inferEntry(name, member, deriveFromProbe(name, probe)), ...member };
}

/**
 * Returns the variables in which the program gets the broker's address for a key, each with the path in the address.
 */
export function baseOf(name: string, entry: BrokerEntry): Readonly<Record<string, string>> {
  return entry.base ?? providerOf(name)?.base ?? {};
}

type MutableEntry = { -readonly [Key in keyof BrokerEntry]: BrokerEntry[Key] };

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
  const entry: MutableEntry = {};
  if (upstream !== undefined) entry.upstream = upstream;
  if (headers !== undefined) entry.slots = headers.map(parseSlot);
  if (base !== undefined) entry.base = base;
  if (prefix !== undefined) entry.prefix = prefix;
  if (allow !== undefined) entry.allow = parseRules(allow);
  if (deny !== undefined) entry.deny = parseRules(deny);
  if (limit !== undefined) entry.limit = limit;
  if (ssh !== undefined) entry.ssh = ssh;
  return entry;
}

/**
 * Returns the fields that follow from the probe of a key for which nothing is built in.
 *
 * @param member the compiled `broker` member, which may name another upstream than the probe
 */
function inferEntry(name: string, member: BrokerEntry, { upstream, slots }: ProbedKey): BrokerEntry {
  if (slots.length === 0) return upstream === undefined ? {} : { upstream };
  if (upstream === undefined) return { slots };
  // A variable that holds the address of the service becomes the one that holds the address of the broker.
  const addressVariable = parseUpstreamVariable(member.upstream ?? upstream) ?? suggestAddressName(name);
  return { upstream, slots, base: { [addressVariable]: "" } };
}

/** Returns NAME of an upstream `${NAME}`; undefined for an origin. */
export function parseUpstreamVariable(upstream: string): string | undefined {
  return /^\$\{([^{}]*)\}$/.exec(upstream)?.[1];
}

/**
 * Returns a usual variable for the address of a key's service: `SEARCH_BASE_URL` for `SEARCH_API_KEY` or
 * `SEARCH_TOKEN`.
 */
export function suggestAddressName(key: string): string {
  // The look-behind leaves a name such as `_TOKEN` as it is.
  return `${key.replace(/(?<=.)_(?:(?:API|ACCESS|AUTH|SECRET)_)?(?:KEY|TOKEN|SECRET)$/i, "")}_BASE_URL`;
}
