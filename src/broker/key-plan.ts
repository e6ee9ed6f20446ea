/**
 * The decision where each key goes, before anything starts; pure.
 *
 * A repository's files must not send the user's key to an origin of their own (CVE-2026-21852). So one of these must name
 * the origin: the provider, the caller, the source of the key itself, a contract that the caller has named, or
 * `--broker-to`. Otherwise nothing starts.
 */
import { apiPath, rulesFor, sitesOf, webOriginOf } from "../contract/broker/github-keys.ts";
import { variableIn } from "../contract/broker/entry.ts";
import { type BrokerEntry, PASSWORD, type Slot } from "../contract/broker/broker-model.ts";
import { type PathRule, parseRules } from "../contract/broker/path-rules.ts";
import { listOf } from "../contract/file/compile.ts";
import type { Provider } from "../contract/broker/providers.ts";
import { parseUrl, isLoopback } from "../core/url.ts";
import { below, type Route } from "./route.ts";

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
  /** The file that sets it, or the ESC environment. */
  readonly file?: string | undefined;
  readonly isEsc?: boolean;
  /** Whoever wrote the repository may have written it: a file that was found, an alias of a contract that was found. */
  readonly isFound?: boolean;
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
  /** The variable in which the address was found. */
  readonly variable: string | undefined;
  /** The settings of git; absent for a key that git has no use for. */
  readonly git?: {
    /** Host and port. */
    readonly host: string;
    /** Remotes in the form of ssh go through the broker, too. */
    readonly ssh: boolean;
  };
}

export type PlanFault =
  /** A file of the repository names the origin: the contract at `path`, which was only found, or the file of a variable. */
  | {
      readonly kind: "untrusted";
      readonly name: string;
      readonly origin: string;
      readonly path: string;
      /** `path` is an ESC environment. */
      readonly isEsc: boolean;
      readonly variable: string | undefined;
    }
  /** The contract at `path`, which was only found, changes how a built-in key is sent. */
  | {
      readonly kind: "untrusted-part";
      readonly name: string;
      readonly part: "headers" | "prefix";
      readonly path: string;
    }
  | { readonly kind: "no-upstream" | "no-header"; readonly name: string }
  | { readonly kind: "unset"; readonly name: string; readonly variable: string }
  /** Not https, and not of this machine; or no address at all. */
  | {
      readonly kind: "insecure" | "no-address" | "no-github";
      readonly name: string;
      readonly variable: string | undefined;
    };

/** Decides where the key goes and what the program gets, or why it cannot be brokered. */
export function planKey(key: Key, surroundings: Surroundings): Planned | PlanFault {
  const { name, entry, provider, dummy } = key;
  const { contract } = surroundings;
  const address = findAddress(key, surroundings);
  if ("kind" in address) return address;
  const slots = entry.slots ?? provider?.slots ?? [];
  if (slots.length === 0) return { kind: "no-header", name };
  const changed = contract.isNamed ? undefined : changedPart(key);
  if (changed !== undefined) return { kind: "untrusted-part", name, part: changed, path: contract.path };
  const { url, variable, because } = address;
  const base = entry.base ?? provider?.base ?? {};
  if (provider?.isGithub === true) return planGithub(key, address, contract.isNamed);
  const { path, servicePath } = rootOf(address, key, contract.isNamed);
  const deny = denials(key, parseRules(provider?.deny ?? []), contract.isNamed);
  const prefix = entry.prefix ?? provider?.prefix ?? "";
  const route: Route = {
    name,
    dummy,
    origin: url.origin,
    path,
    servicePath,
    prefix,
    slots,
    allow: (entry.allow ?? []).map(withoutHost),
    deny: deny.map(withoutHost),
    ...limited(entry),
  };
  // Clients that send whole paths send the end of the gateway's path, too.
  const end = below("", servicePath) ?? "";
  const root = path.endsWith(end) ? path.slice(0, path.length - end.length) : path;
  const behind = (setting: string, expected: string): string =>
    provider?.whole?.includes(setting) === true ? root + expected : path + (below(servicePath, expected) ?? expected);
  return {
    route,
    base: Object.fromEntries(Object.entries(base).map(([setting, expected]) => [setting, behind(setting, expected)])),
    because,
    variable,
  };
}

/** A contract that was found cannot take the built-in denials back: any user may have written it. */
function denials({ entry }: Key, builtIn: readonly PathRule[], isContractNamed: boolean): readonly PathRule[] {
  return entry.deny === undefined ? builtIn : [...(isContractNamed ? [] : builtIn), ...entry.deny];
}

function limited({ limit }: BrokerEntry): Pick<Route, "limit"> {
  return limit === undefined ? {} : { limit };
}

/** The only host that a rule can name here is that of the service, for which a gateway may stand. */
function withoutHost({ method, segments, names, text }: PathRule): PathRule {
  return { method, segments, names, text };
}

/** Plans a token of GitHub, or of a GitHub Enterprise Server. */
function planGithub(key: Key, { url, variable, because }: Address, isContractNamed: boolean): Planned | PlanFault {
  const { name, entry, provider, dummy } = key;
  const origin = webOriginOf(url, variable);
  if (origin === undefined) return { kind: "no-github", name, variable };
  const sites = sitesOf(origin);
  const route: Route = {
    name,
    dummy,
    origin,
    path: "",
    servicePath: "",
    prefix: "",
    slots: [...(entry.slots ?? provider?.slots ?? []), PASSWORD],
    allow: rulesFor(entry.allow ?? [], origin),
    deny: rulesFor(denials(key, parseRules(provider?.deny ?? []), isContractNamed), origin),
    ...limited(entry),
    sites,
  };
  const base = Object.entries(entry.base ?? provider?.base ?? {}).map(
    ([setting, usual]) => [setting, apiPath(setting, usual, origin)] as const,
  );
  const git = { host: new URL(origin).host, ssh: entry.ssh ?? true };
  return { route, base: Object.fromEntries(base), because, variable, git };
}

/**
 * Returns what a contract changes of a built-in key besides its address. In a header of a repository's choice the service may
 * repeat the key in its answer, where the program reads it. A prefix of its choice hides a denied path from the rules.
 */
function changedPart({ entry, provider }: Key): "headers" | "prefix" | undefined {
  if (provider === undefined) return undefined;
  const isBuiltIn = ({ header, scheme }: Slot): boolean =>
    provider.slots.some((slot) => slot.header === header && slot.scheme === scheme);
  if (entry.slots?.every(isBuiltIn) === false) return "headers";
  return (entry.prefix ?? provider.prefix) === provider.prefix ? undefined : "prefix";
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
    ...listOf(provider?.address),
    ...(contract.isNamed ? Object.keys(entry.base ?? {}) : []),
  ];

  const decide = (
    url: URL,
    variable: string | undefined,
    because: Planned["because"] | undefined,
    given?: SourcedValue,
  ): Address | PlanFault => {
    if (because !== undefined) return { url, variable, because };
    // The contract names the variable; a file of the repository may still hold the address.
    if (contract.isNamed && given?.isFound !== true) return { url, variable, because: "contract" };
    if (allowed.includes(url.origin)) return { url, variable, because: "allowed" };
    const { file: path = contract.path, isEsc = false } = given ?? {};
    return { kind: "untrusted", name, origin: url.origin, path, isEsc, variable };
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
  const isBuiltIn = variable === undefined && url.origin === provider?.origin && url.pathname === "/";
  return decide(url, variable, isBuiltIn ? "built-in" : undefined, given);
}

/**
 * Returns the part of a gateway's path that stands for the service's own path. The address `https://gateway/x/v1` in a
 * variable that has `/v1` for the service itself has its root at `/x`, if another variable of the key has no path.
 *
 * @param isContractNamed else the contract decides nothing here: denied paths would look like others
 */
function rootOf(
  { url, variable = "", because }: Address,
  { entry, provider }: Key,
  isContractNamed: boolean,
): { readonly path: string; readonly servicePath: string } {
  const path = url.pathname.replace(/\/+$/, "");
  if (because === "allowed" && !isContractNamed && provider?.deny !== undefined) return { path, servicePath: path };
  const own = entry.base ?? {};
  const builtIn = provider?.base ?? {};
  const base = isContractNamed ? { ...builtIn, ...own } : provider === undefined ? own : builtIn;
  const expected = base[variable] ?? "";
  // Else the rules would admit paths beside that of a gateway.
  const others = Object.entries(base).filter(([name]) => provider?.whole?.includes(name) !== true);
  const shortest = others.reduce((least, [, each]) => (each.length < least.length ? each : least), expected);
  const behind = below(shortest, expected) ?? "";
  if (path.endsWith(behind)) return { path: path.slice(0, path.length - behind.length), servicePath: shortest };
  return { path, servicePath: expected };
}

/** Reads an https address, or an http one of this machine. */
function readAddress(text: string): URL | "insecure" | "no-address" {
  const trimmed = text.trim();
  const url = /^https?:\/\//i.test(trimmed) ? parseUrl(trimmed) : undefined;
  if (url === undefined) return "no-address";
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return "no-address";
  return url.protocol === "https:" || isLoopback(url.hostname) ? url : "insecure";
}
