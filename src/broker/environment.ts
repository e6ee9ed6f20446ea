/** The variables that a program gets in place of the keys; pure. */
import type { Environment } from "../core/model.ts";
import type { Planned } from "./plan.ts";

/** Names the keys that the program has dummies of, for a nested sophia-run. */
export const BROKERED_VARIABLE = "SOPHIA_BROKERED";

const PROXIES = ["http_proxy", "https_proxy", "all_proxy"] as const;
const LOOPBACK = "127.0.0.1";

export interface Brokered extends Planned {
  /** The key's other names. */
  readonly aliases: readonly string[];
}

/**
 * Returns the variables of the program that change.
 *
 * @param broker its origin
 * @param environment the program's without the broker
 * @param outer the keys that an outer sophia-run brokers
 */
export function brokerVariables(
  keys: readonly Brokered[],
  broker: string,
  environment: Environment,
  outer: readonly string[] = [],
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { route, aliases, base } of keys) {
    variables[route.name] = route.dummy;
    for (const alias of aliases) if (environment.has(alias)) variables[alias] = route.dummy;
    for (const [name, path] of Object.entries(base)) variables[name] = broker + path;
  }
  variables[BROKERED_VARIABLE] = [...outer, ...keys.map(({ route }) => route.name)].join(",");
  return { ...variables, ...withoutProxy(environment) };
}

/** Requests for the broker must not go to a proxy, with all that they hold. Clients read either spelling, or both. */
function withoutProxy(environment: Environment): Readonly<Record<string, string>> {
  const isSet = (name: string): boolean => (environment.get(name) ?? "") !== "";
  if (!PROXIES.some((name) => isSet(name) || isSet(name.toUpperCase()))) return {};
  const present = environment.get("no_proxy") ?? environment.get("NO_PROXY") ?? "";
  const added = (list: string | undefined): string => {
    const hosts = (list ?? present).split(",").flatMap((host) => host.trim() || []);
    return hosts.includes(LOOPBACK) || hosts.includes("*") ? hosts.join(",") : [...hosts, LOOPBACK].join(",");
  };
  return { no_proxy: added(environment.get("no_proxy")), NO_PROXY: added(environment.get("NO_PROXY")) };
}
