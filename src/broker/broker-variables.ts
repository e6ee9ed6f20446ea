/**
 * Makes the variables that a program gets in place of its keys. For the key `OPENAI_API_KEY`:
 *
 *     OPENAI_API_KEY=sk-sophia-…                        the dummy
 *     OPENAI_BASE_URL=http://127.0.0.1:40123/v1         the broker, in place of the service
 *     SOPHIA_BROKERED=OPENAI_API_KEY
 *     NO_PROXY=…,127.0.0.1                              only if there is a proxy
 */
import { BROKERED_VARIABLE } from "../contract/broker/broker-model.ts";
import { GITHUB_TOKENS } from "../contract/broker/providers.ts";
import type { Environment } from "../core/model.ts";
import { bareHost } from "../network/network-settings.ts";
import { type GitAccess, createGitVariables } from "./git-access.ts";
import type { KeyPlan } from "./key-plan.ts";

/** The variable with the path of a broker that listens only on a socket. */
export const SOCKET_VARIABLE = "SOPHIA_BROKER_SOCKET";

/** The variables with proxies. Clients read them in lower case or in upper case. */
const PROXY_VARIABLES = ["http_proxy", "https_proxy", "all_proxy"] as const;
const NO_PROXY_VARIABLES = ["no_proxy", "NO_PROXY"] as const;

/** A planned key, with all names under which the program gets its dummy. */
export interface BrokeredKey extends KeyPlan {
  /** The key's other names. */
  readonly aliases: readonly string[];
}

/** Variables to change, by name; undefined for a variable that must be removed. */
export type VariableChanges = Readonly<Record<string, string | undefined>>;

/**
 * Returns the changes to the program's environment.
 *
 * @param broker the origin of the broker, with the host that the program knows
 * @param environment the environment that the program would get without the broker
 * @param outerKeys the names of the keys that an outer sophia-run, which has started this one, brokers
 */
export function createBrokerVariables(
  keys: readonly BrokeredKey[],
  broker: string,
  environment: Environment,
  outerKeys: readonly string[] = [],
): VariableChanges {
  const variables: Record<string, string> = { ...createDummyVariables(keys, environment, outerKeys) };
  for (const { addressPaths } of sortByPreference(keys)) {
    // Several keys may share a variable, such as GITHUB_API_URL: the preferred one sets it.
    for (const [name, path] of Object.entries(addressPaths)) variables[name] ??= broker + path;
  }
  const accesses = listGitAccesses(keys);
  return {
    ...variables,
    ...createGitVariables(accesses, broker, environment),
    ...planProxyChanges(
      environment,
      bareHost(new URL(broker)),
      accesses.map(({ host }) => host),
    ),
  };
}

/** Returns the changes for a broker that listens only on a socket. No variable tells clients or git about a socket. */
export function createSocketVariables(
  keys: readonly BrokeredKey[],
  path: string,
  environment: Environment,
  outerKeys: readonly string[] = [],
): VariableChanges {
  return { ...createDummyVariables(keys, environment, outerKeys), [SOCKET_VARIABLE]: path };
}

/** Returns the variables with dummies, and the variable that names the keys. */
function createDummyVariables(
  keys: readonly BrokeredKey[],
  environment: Environment,
  outerKeys: readonly string[],
): Readonly<Record<string, string>> {
  const dummies = keys.flatMap(({ route, aliases }) =>
    [route.name, ...aliases.filter((alias) => environment.has(alias))].map((name) => [name, route.dummy] as const),
  );
  return {
    ...Object.fromEntries(dummies),
    [BROKERED_VARIABLE]: [...outerKeys, ...keys.map(({ route }) => route.name)].join(","),
  };
}

/** A key that clients cannot use, because its address variable has the path for another key, which is preferred. */
export interface DisplacedKey {
  readonly name: string;
  readonly variable: string;
  readonly preferred: string;
}

/** Returns the keys that share an address variable with a preferred key that has another path, such as the path of a gateway. */
export function findDisplacedKeys(keys: readonly BrokeredKey[]): readonly DisplacedKey[] {
  const preferredByVariable = new Map<string, { readonly name: string; readonly path: string }>();
  const displacedKeys: DisplacedKey[] = [];
  for (const { addressPaths, route, git } of sortByPreference(keys)) {
    // Two tokens of GitHub may be for different servers: git and gh choose the token by the host.
    if (git !== undefined) continue;
    for (const [variable, path] of Object.entries(addressPaths)) {
      const preferred = preferredByVariable.get(variable);
      if (preferred === undefined) preferredByVariable.set(variable, { name: route.name, path });
      else if (preferred.path !== path) displacedKeys.push({ name: route.name, variable, preferred: preferred.name });
    }
  }
  return displacedKeys;
}

/** Sorts the keys: first those that are not tokens of GitHub, and then these tokens in the order of `GITHUB_TOKENS`. */
function sortByPreference(keys: readonly BrokeredKey[]): readonly BrokeredKey[] {
  // -1 for the keys that are not tokens of GitHub.
  const rank = ({ route }: BrokeredKey): number => GITHUB_TOKENS.indexOf(route.name);
  return keys.toSorted((first, second) => rank(first) - rank(second));
}

/** Returns the access of git to each host, with the preferred token for it. */
export function listGitAccesses(keys: readonly BrokeredKey[]): readonly GitAccess[] {
  const accesses = new Map<string, GitAccess>();
  for (const { git, route } of sortByPreference(keys)) {
    if (git !== undefined && !accesses.has(git.host)) accesses.set(git.host, { ...git, dummy: route.dummy });
  }
  return [...accesses.values()];
}

/**
 * Returns the changes to the settings of proxies. Requests for the broker must not go to a proxy, which would see them unencrypted.
 * Requests of git must not bypass the broker, which is their proxy. Clients read `no_proxy` or `NO_PROXY`, so both are set.
 *
 * @param brokerHost the host of the broker
 * @param gitHosts the hosts that git reaches through the broker
 */
function planProxyChanges(environment: Environment, brokerHost: string, gitHosts: readonly string[]): VariableChanges {
  const proxyNames = PROXY_VARIABLES.flatMap((name) => [name, name.toUpperCase()]).filter((name) =>
    isNonEmpty(environment, name),
  );
  const noProxyLists = NO_PROXY_VARIABLES.map((name) => environment.get(name));
  const gitEntriesByList = noProxyLists.map((list) => findMatchingEntries(list, gitHosts));
  // With `*` no client uses a proxy. Removing all of these variables has the same effect, and lets git use the broker.
  if (gitEntriesByList.some((entries) => entries.includes("*"))) {
    return Object.fromEntries([...proxyNames, ...NO_PROXY_VARIABLES].map((name) => [name, undefined]));
  }
  const hasGitEntries = gitEntriesByList.some((entries) => entries.length > 0);
  if (proxyNames.length === 0 && !hasGitEntries) return {};
  const definedList = noProxyLists.find((list) => list !== undefined) ?? "";
  const changeList = (list = definedList): string => {
    const removedEntries = findMatchingEntries(list, gitHosts);
    const remainingEntries = parseNoProxy(list).filter((entry) => !removedEntries.includes(entry));
    const needsNoEntry =
      proxyNames.length === 0 || remainingEntries.includes(brokerHost) || remainingEntries.includes("*");
    return [...remainingEntries, ...(needsNoEntry ? [] : [brokerHost])].join(",");
  };
  return Object.fromEntries(NO_PROXY_VARIABLES.map((name, index) => [name, changeList(noProxyLists[index])]));
}

/** Returns the changes by which requests for loopback go to no proxy. */
export function bypassProxyForLoopback(environment: Environment): VariableChanges {
  return planProxyChanges(environment, "127.0.0.1", []);
}

/** Returns the entries of `NO_PROXY` by which git would bypass the broker. */
export function findEntriesAgainstGit(environment: Environment, hosts: readonly string[]): readonly string[] {
  return [...new Set(NO_PROXY_VARIABLES.flatMap((name) => findMatchingEntries(environment.get(name), hosts)))];
}

/** Returns the entries of a list that apply to one of the hosts. curl reads an entry as a host, or as the end of a host. */
function findMatchingEntries(list: string | undefined, hosts: readonly string[]): readonly string[] {
  const names = hosts.map((host) => host.replace(/:\d+$/, ""));
  return parseNoProxy(list).filter((entry) => {
    const suffix = entry
      .toLowerCase()
      .replace(/:\d+$/, "")
      .replace(/^\*?\.|\.$/g, "");
    return names.some((name) => suffix === "*" || name === suffix || name.endsWith(`.${suffix}`));
  });
}

/** Splits a value of NO_PROXY such as `localhost,.example.com`. */
function parseNoProxy(list = ""): readonly string[] {
  // curl accepts spaces in place of commas.
  return list.split(/[\s,]+/).filter((entry) => entry !== "");
}

function isNonEmpty(environment: Environment, name: string): boolean {
  return (environment.get(name) ?? "") !== "";
}
