/**
 * Finds the address of the service that gets a key, and decides whether the address can be trusted. key-plan.ts calls this for each
 * key. The functions are pure.
 *
 * A repository's files must not send the user's key to an origin of their choice (CVE-2026-21852). So an address is accepted only
 * if one of these names it: the built-in provider, the caller, the source of the key itself, a contract that the user named, or
 * `--broker-to`. A contract or a `.env` file that sophia-run has found by itself is not enough.
 */
import type { BrokerEntry } from "../contract/broker/broker-model.ts";
import { parseUpstreamVariable } from "../contract/broker/entry.ts";
import type { Provider } from "../contract/broker/providers.ts";
import { toList } from "../contract/file/compile.ts";
import { isLoopback, parseUrl } from "../core/url.ts";

/** A declared key that the program would get. */
export interface DeclaredKey {
  readonly name: string;
  /** Identifies the source of the value. All values of one source have the same authors. */
  readonly source: string;
  readonly dummy: string;
  readonly entry: BrokerEntry;
  /** undefined if nothing is built in for the variable. */
  readonly provider: Provider | undefined;
}

/** A value, with the facts that decide whether it can be trusted. */
export interface SourcedValue {
  readonly value: string;
  readonly source: string;
  /** The file that sets the value, or the ESC environment. */
  readonly file?: string | undefined;
  readonly isEsc?: boolean;
  /**
   * True if the author of the repository may have written the value: the user has not named the file, or the contract in which the
   * variable is an alias.
   */
  readonly mayBeFromRepository?: boolean;
}

/** The facts about the run on which the plan of a key depends. */
export interface PlanContext {
  /** Returns the value of a variable that the program would get. */
  readonly valueOf: (name: string) => SourcedValue | undefined;
  /** The `source` of values from the process environment. */
  readonly callerSource: string;
  /** `isNamed` is true if the user named the contract (`--contract`). */
  readonly contract: { readonly path: string; readonly isNamed: boolean };
  /** The origins of `--broker-to`. */
  readonly allowedOrigins: readonly string[];
}

/** The address to which a key goes. */
export interface ServiceAddress {
  readonly url: URL;
  /** The variable that holds the address; undefined if the contract or the provider has it. */
  readonly variable: string | undefined;
  /** The source that vouches for the address. */
  readonly trustReason: "built-in" | "caller" | "source" | "contract" | "allowed";
}

/** The reason why a key has no address that can be trusted. */
export type AddressFault =
  /** A file of the repository names the origin: the contract at `path`, which the user did not name, or the file of a variable. */
  | {
      readonly kind: "untrusted";
      readonly name: string;
      readonly origin: string;
      readonly path: string;
      /** True if `path` is an ESC environment. */
      readonly isEsc: boolean;
      readonly variable: string | undefined;
    }
  /** Neither the contract nor a built-in provider has an address. */
  | { readonly kind: "no-upstream"; readonly name: string }
  /** The variable that should hold the address is not set. */
  | { readonly kind: "unset"; readonly name: string; readonly variable: string }
  /** The address is http to another machine, or no address at all. */
  | { readonly kind: "insecure" | "no-address"; readonly name: string; readonly variable: string | undefined };

/** Returns the address of the key's service, or the reason why there is none that can be trusted. */
export function findServiceAddress(key: DeclaredKey, context: PlanContext): ServiceAddress | AddressFault {
  return findPairedAddress(key, context) ?? findUpstreamAddress(key, context);
}

/**
 * Returns the address in a variable that belongs to the key, as `OPENAI_BASE_URL` belongs to `OPENAI_API_KEY`. It is the address of
 * a gateway, or of a service that has another address for each user. Only the caller and the source of the key may set such a
 * variable.
 *
 * @returns undefined if neither of them has set such a variable
 */
function findPairedAddress(
  { name, source, entry, provider }: DeclaredKey,
  { valueOf, callerSource, contract }: PlanContext,
): ServiceAddress | AddressFault | undefined {
  const variables = [
    ...Object.keys(provider?.base ?? {}),
    ...toList(provider?.address),
    // A contract that the user did not name could otherwise pair a key with any variable that holds an address.
    ...(contract.isNamed ? Object.keys(entry.base ?? {}) : []),
  ];
  for (const variable of variables) {
    const address = valueOf(variable);
    if (address === undefined || (address.source !== callerSource && address.source !== source)) continue;
    const url = parseAddress(address.value);
    if (typeof url === "string") return { kind: url, name, variable };
    return { url, variable, trustReason: address.source === callerSource ? "caller" : "source" };
  }
  return undefined;
}

/** Returns the address that the contract or the provider has, perhaps in a variable, if it can be trusted. */
function findUpstreamAddress(
  { name, entry, provider }: DeclaredKey,
  { valueOf, contract, allowedOrigins }: PlanContext,
): ServiceAddress | AddressFault {
  const { upstream = provider?.origin ?? "" } = entry;
  const variable = parseUpstreamVariable(upstream) ?? (upstream === "" ? provider?.address : undefined);
  const variableValue = variable === undefined ? undefined : valueOf(variable);
  const text = variable === undefined ? upstream : variableValue?.value;
  if (text === undefined) return { kind: "unset", name, variable: variable ?? "" };
  if (text === "") return { kind: "no-upstream", name };
  const url = parseAddress(text);
  if (typeof url === "string") return { kind: url, name, variable };
  const isBuiltIn = variable === undefined && url.origin === provider?.origin && url.pathname === "/";
  if (isBuiltIn) return { url, variable, trustReason: "built-in" };
  // If the contract names only a variable, a file of the repository may still hold the address.
  if (contract.isNamed && variableValue?.mayBeFromRepository !== true)
    return { url, variable, trustReason: "contract" };
  if (allowedOrigins.includes(url.origin)) return { url, variable, trustReason: "allowed" };
  const { file: path = contract.path, isEsc = false } = variableValue ?? {};
  return { kind: "untrusted", name, origin: url.origin, path, isEsc, variable };
}

/** Parses an https address, or an http address of this machine, without credentials and query. */
function parseAddress(text: string): URL | "insecure" | "no-address" {
  const trimmed = text.trim();
  const url = /^https?:\/\//i.test(trimmed) ? parseUrl(trimmed) : undefined;
  if (url === undefined) return "no-address";
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return "no-address";
  return url.protocol === "https:" || isLoopback(url.hostname) ? url : "insecure";
}
