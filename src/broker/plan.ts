/**
 * The decision where each key goes, before anything starts; pure.
 *
 * A repository's files must not send the user's key to an origin of their own (CVE-2026-21852). An origin counts if it is the
 * provider's own, if the caller has set it or the source of the key itself, if a contract says so that the caller has named,
 * or if the caller has allowed it (`--broker-to`). Otherwise nothing starts.
 */
import { parseUrl } from "../core/url.ts";
import { isLoopbackUrl } from "../core/key-addresses.ts";
import { variableIn } from "../contract/broker/entry.ts";
import type { BrokerEntry } from "../contract/broker/model.ts";
import { parseRule, type PathRule } from "../contract/broker/path-rules.ts";
import type { Provider } from "../contract/broker/providers.ts";
import type { Route } from "./model.ts";

/** A declared key that the program would get. */
export interface Key {
  readonly name: string;
  /** Names the source of the value: two values of one source were written by the same people. */
  readonly source: string;
  readonly dummy: string;
  readonly entry: BrokerEntry;
  readonly provider: Provider | undefined;
}

export interface SourcedValue {
  readonly value: string;
  readonly source: string;
  /** The file that sets it. */
  readonly file?: string | undefined;
}

export interface Surroundings {
  /** The value of a variable that the program would get. */
  readonly valueOf: (name: string) => SourcedValue | undefined;
  /** The source of the process environment. */
  readonly caller: string;
  /** The contract's path, and if the caller has named it (`--contract`). */
  readonly contract: { readonly path: string; readonly isNamed: boolean };
  /** The origins of `--broker-to`. */
  readonly allowed: readonly string[];
}

export interface Planned {
  readonly route: Route;
  /** The variables that the program gets, each with the path behind the broker's origin. */
  readonly base: Readonly<Record<string, string>>;
  /** The reason why this origin may get the key. */
  readonly because: "built-in" | "caller" | "source" | "contract" | "allowed";
}

export type PlanFault =
  /** A file of the repository names the origin: the contract at `path`, which was only found, or the file of a variable. */
  | {
      readonly kind: "untrusted";
      readonly name: string;
      readonly origin: string;
      readonly path: string;
      readonly variable: string | undefined;
    }
  | { readonly kind: "no-upstream" | "no-header"; readonly name: string }
  | { readonly kind: "unset"; readonly name: string; readonly variable: string }
  /** Not https, and not of this machine; or no address at all. */
  | { readonly kind: "insecure" | "no-address"; readonly name: string; readonly variable: string | undefined };

/** @returns where the key goes and what the program gets, or why it cannot be brokered */
export function planKey(key: Key, surroundings: Surroundings): Planned | PlanFault {
  const { name, entry, provider, dummy } = key;
  const base = entry.base ?? provider?.base ?? {};
  const found = findAddress(key, surroundings);
  if ("kind" in found) return found;
  const slots = entry.slots ?? provider?.slots ?? [];
  if (slots.length === 0) return { kind: "no-header", name };
  const { url, variable, because } = found;
  const { path, servicePath } = rootOf(url, (variable === undefined ? undefined : base[variable]) ?? "", base);
  // Without a rule that takes them back: a contract that was found may be anybody's.
  const builtIn = rulesIn(provider?.deny ?? []);
  const deny = entry.deny === undefined ? builtIn : [...(surroundings.contract.isNamed ? [] : builtIn), ...entry.deny];
  const prefix = entry.prefix ?? provider?.prefix ?? "";
  const route: Route = {
    name,
    dummy,
    origin: url.origin,
    path,
    servicePath,
    prefix,
    slots,
    allow: entry.allow ?? [],
    deny,
  };
  return {
    route,
    base: Object.fromEntries(Object.entries(base).map(([each, its]) => [each, path + its.slice(servicePath.length)])),
    because,
  };
}

interface Address {
  readonly url: URL;
  /** The variable in which it was found. */
  readonly variable: string | undefined;
  readonly because: Planned["because"];
}

function findAddress(key: Key, surroundings: Surroundings): Address | PlanFault {
  const { name, source, entry, provider } = key;
  const { valueOf, caller, contract, allowed } = surroundings;
  // A contract that was found makes no pairs of its own.
  const paired = [
    ...Object.keys(provider?.base ?? {}),
    ...optional(provider?.address),
    ...(contract.isNamed ? Object.keys(entry.base ?? {}) : []),
  ];

  const decide = (url: URL, variable: string | undefined, because: Planned["because"] | undefined, file?: string) => {
    if (because !== undefined) return { url, variable, because };
    if (contract.isNamed) return { url, variable, because: "contract" as const };
    if (allowed.includes(url.origin)) return { url, variable, because: "allowed" as const };
    return { kind: "untrusted" as const, name, origin: url.origin, path: file ?? contract.path, variable };
  };

  // A gateway, or the address of a service without one of its own.
  for (const variable of paired) {
    const given = valueOf(variable);
    if (given === undefined || (given.source !== caller && given.source !== source)) continue;
    const url = readAddress(given.value);
    if (typeof url === "string") return { kind: url, name, variable };
    return decide(url, variable, given.source === caller ? "caller" : "source");
  }

  const { upstream = provider?.origin ?? "" } = entry;
  const variable = variableIn(upstream) ?? (upstream === "" ? provider?.address : undefined);
  const given = variable === undefined ? undefined : valueOf(variable);
  const text = variable === undefined ? upstream : given?.value;
  if (text === undefined) return { kind: "unset", name, variable: variable ?? "" };
  if (text === "") return { kind: "no-upstream", name };
  const url = readAddress(text);
  if (typeof url === "string") return { kind: url, name, variable };
  const isBuiltIn = variable === undefined && url.origin === provider?.origin;
  return decide(url, variable, isBuiltIn ? "built-in" : undefined, given?.file);
}

function optional<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

/** Reads an https address, or an http one of this machine. */
function readAddress(text: string): URL | "insecure" | "no-address" {
  const trimmed = text.trim();
  const url = /^https?:\/\//i.test(trimmed) ? parseUrl(trimmed) : undefined;
  if (url === undefined) return "no-address";
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return "no-address";
  return url.protocol === "https:" || isLoopbackUrl(trimmed) ? url : "insecure";
}

/**
 * Returns the part of a gateway's path that stands for the service's own path. The address `https://gateway/x/v1` in a
 * variable that has `/v1` for the service itself has its root at `/x`, if another variable of the key has no path.
 */
function rootOf(
  url: URL,
  expected: string,
  base: Readonly<Record<string, string>>,
): { readonly path: string; readonly servicePath: string } {
  const path = url.pathname.replace(/\/+$/, "");
  const shortest = Object.values(base).reduce((least, each) => (each.length < least.length ? each : least), expected);
  const behind = expected.startsWith(shortest) ? expected.slice(shortest.length) : "";
  if (path.endsWith(behind)) return { path: path.slice(0, path.length - behind.length), servicePath: shortest };
  return { path, servicePath: expected };
}

function rulesIn(texts: readonly string[]): readonly PathRule[] {
  return texts.flatMap((text) => parseRule(text) ?? []);
}
