/** The variables that a program gets in place of the keys; pure. */
import { BROKERED_VARIABLE } from "../contract/broker/broker-model.ts";
import { GITHUB_TOKENS } from "../contract/broker/providers.ts";
import type { Environment } from "../core/model.ts";
import { bareHost } from "../network/network-settings.ts";
import { type GitAccess, gitVariables } from "./git-access.ts";
import type { KeyPlan } from "./key-plan.ts";

/** The path of a broker that listens on a socket. */
export const SOCKET_VARIABLE = "SOPHIA_BROKER_SOCKET";

const PROXIES = ["http_proxy", "https_proxy", "all_proxy"] as const;
const NO_PROXIES = ["no_proxy", "NO_PROXY"] as const;

export interface Brokered extends KeyPlan {
  /** The key's other names. */
  readonly aliases: readonly string[];
}

/** Changed variables; undefined for one that the program does not get. */
export type Changes = Readonly<Record<string, string | undefined>>;

/**
 * Returns the variables of the program that change.
 *
 * @param broker its origin, by the host that the program knows
 * @param environment the program's without the broker
 * @param outer the keys that an outer sophia-run brokers
 */
export function brokerVariables(
  keys: readonly Brokered[],
  broker: string,
  environment: Environment,
  outer: readonly string[] = [],
): Changes {
  const variables: Record<string, string> = { ...dummies(keys, environment, outer) };
  for (const { base } of byPreference(keys)) {
    // Two tokens of GitHub may be for different servers.
    for (const [name, path] of Object.entries(base)) variables[name] ??= broker + path;
  }
  const accesses = gitAccesses(keys);
  return {
    ...variables,
    ...gitVariables(accesses, broker, environment),
    ...proxyChanges(
      environment,
      bareHost(new URL(broker)),
      accesses.map(({ host }) => host),
    ),
  };
}

/** The same for a broker that listens on a socket alone, of which no client and no git learns by a variable. */
export function socketVariables(
  keys: readonly Brokered[],
  path: string,
  environment: Environment,
  outer: readonly string[] = [],
): Changes {
  return { ...dummies(keys, environment, outer), [SOCKET_VARIABLE]: path };
}

function dummies(
  keys: readonly Brokered[],
  environment: Environment,
  outer: readonly string[],
): Readonly<Record<string, string>> {
  const named = keys.flatMap(({ route, aliases }) =>
    [route.name, ...aliases.filter((alias) => environment.has(alias))].map((name) => [name, route.dummy] as const),
  );
  return {
    ...Object.fromEntries(named),
    [BROKERED_VARIABLE]: [...outer, ...keys.map(({ route }) => route.name)].join(","),
  };
}

/** A key whose requests find no route: a variable has the path for a preferred key. */
export interface Displaced {
  readonly name: string;
  readonly variable: string;
  readonly preferred: string;
}

/** Returns the keys that share a variable with one of another path, such as that of a gateway. */
export function displacedKeys(keys: readonly Brokered[]): readonly Displaced[] {
  const first = new Map<string, { readonly name: string; readonly path: string }>();
  const displaced: Displaced[] = [];
  for (const { base, route, git } of byPreference(keys)) {
    // Two tokens of GitHub may be for different servers, between which git and gh choose by the host.
    if (git !== undefined) continue;
    for (const [variable, path] of Object.entries(base)) {
      const known = first.get(variable);
      if (known === undefined) first.set(variable, { name: route.name, path });
      else if (known.path !== path) displaced.push({ name: route.name, variable, preferred: known.name });
    }
  }
  return displaced;
}

function byPreference(keys: readonly Brokered[]): readonly Brokered[] {
  const rank = ({ route }: Brokered): number => GITHUB_TOKENS.indexOf(route.name);
  return keys.toSorted((one, other) => rank(one) - rank(other));
}

/** Returns the access of git to each host, with the preferred token for it. */
export function gitAccesses(keys: readonly Brokered[]): readonly GitAccess[] {
  const accesses = new Map<string, GitAccess>();
  for (const { git, route } of byPreference(keys)) {
    if (git !== undefined && !accesses.has(git.host)) accesses.set(git.host, { ...git, dummy: route.dummy });
  }
  return [...accesses.values()];
}

/**
 * Requests for the broker must not go to a proxy, with all that they hold; those of git must go to the broker as their proxy.
 * Clients read either spelling, or both.
 *
 * @param broker its host
 * @param hosts git's
 */
function proxyChanges(environment: Environment, broker: string, hosts: readonly string[]): Changes {
  const proxies = PROXIES.flatMap((name) => [name, name.toUpperCase()]).filter((name) => isSet(environment, name));
  const lists = NO_PROXIES.map((name) => environment.get(name));
  const excluded = lists.map((list) => excludedHosts(list, hosts));
  // All connections are direct: the same without a proxy.
  if (excluded.some((entries) => entries.includes("*"))) {
    return Object.fromEntries([...proxies, ...NO_PROXIES].map((name) => [name, undefined]));
  }
  const isChanged = excluded.some((entries) => entries.length > 0);
  if (proxies.length === 0 && !isChanged) return {};
  const present = lists.find((list) => list !== undefined) ?? "";
  const listFor = (list = present): string => {
    const taken = excludedHosts(list, hosts);
    const kept = entriesOf(list).filter((entry) => !taken.includes(entry));
    const isDirect = proxies.length === 0 || kept.includes(broker) || kept.includes("*");
    return [...kept, ...(isDirect ? [] : [broker])].join(",");
  };
  return Object.fromEntries(NO_PROXIES.map((name, index) => [name, listFor(lists[index])]));
}

/** Returns the changes by which requests for loopback go to no proxy. */
export function withoutProxyForLoopback(environment: Environment): Changes {
  return proxyChanges(environment, "127.0.0.1", []);
}

/** Returns the entries of `NO_PROXY` that keep git from the broker. */
export function entriesAgainstGit(environment: Environment, hosts: readonly string[]): readonly string[] {
  return [...new Set(NO_PROXIES.flatMap((name) => excludedHosts(environment.get(name), hosts)))];
}

/** As curl reads them: a host, or the end of one behind a dot. */
function excludedHosts(list: string | undefined, hosts: readonly string[]): readonly string[] {
  const names = hosts.map((host) => host.replace(/:\d+$/, ""));
  return entriesOf(list).filter((entry) => {
    const end = entry
      .toLowerCase()
      .replace(/:\d+$/, "")
      .replace(/^\*?\.|\.$/g, "");
    return names.some((name) => end === "*" || name === end || name.endsWith(`.${end}`));
  });
}

function entriesOf(list = ""): readonly string[] {
  // curl takes spaces for commas.
  return list.split(/[\s,]+/).filter((entry) => entry !== "");
}

function isSet(environment: Environment, name: string): boolean {
  return (environment.get(name) ?? "") !== "";
}
