/** The entry of one key, compiled from the contract; pure. Loaded only for --broker, and for contracts with a `broker` member. */
import type { BrokerMember } from "../generated/document.ts";
import type { Declaration } from "../contract-model.ts";
import { type Probed, readProbe } from "./from-probe.ts";
import { type BrokerEntry, slotOf } from "./broker-model.ts";
import { parseRules } from "./path-rules.ts";
import { providerOf } from "./providers.ts";

/** The parts of a declaration that decide. */
export type Brokerable = Pick<Declaration, "name" | "secret" | "deprecated" | "probe" | "broker">;

/**
 * Returns the entry of a variable's own name: aliases are further names of the same key. It is empty if all is as built in.
 *
 * @returns undefined for a key that is never brokered
 */
export function brokerEntryOf(declaration: Brokerable): BrokerEntry | undefined {
  const { name, secret, deprecated, probe, broker } = declaration;
  if (broker === false) return undefined;
  const isBuiltIn = providerOf(name) !== undefined;
  if (broker === undefined) return isBuiltIn && secret && deprecated === undefined ? {} : undefined;
  const own = broker === true ? {} : compile(broker);
  return isBuiltIn ? own : { ...inferred(name, own, readProbe(name, probe)), ...own };
}

/** Returns the variables that the program gets for a brokered key, each with its path. */
export function baseOf(name: string, entry: BrokerEntry): Readonly<Record<string, string>> {
  return entry.base ?? providerOf(name)?.base ?? {};
}

type Writable = { -readonly [Key in keyof BrokerEntry]: BrokerEntry[Key] };

function compile({
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

/** Returns the members that follow from the probe, for a name without anything built in. */
function inferred(name: string, own: BrokerEntry, { upstream, slots }: Probed): BrokerEntry {
  if (slots.length === 0) return upstream === undefined ? {} : { upstream };
  if (upstream === undefined) return { slots };
  return { upstream, slots, base: { [variableIn(own.upstream ?? upstream) ?? addressName(name)]: "" } };
}

/** Returns NAME of an upstream `${NAME}`. */
export function variableIn(upstream: string): string | undefined {
  return /^\$\{([^{}]*)\}$/.exec(upstream)?.[1];
}

/** Returns the usual name for the address of a key's service: `SEARCH_BASE_URL` for `SEARCH_API_KEY` or `SEARCH_TOKEN`. */
export function addressName(key: string): string {
  return `${key.replace(/(?<=.)_(?:(?:API|ACCESS|AUTH|SECRET)_)?(?:KEY|TOKEN|SECRET)$/i, "")}_BASE_URL`;
}
