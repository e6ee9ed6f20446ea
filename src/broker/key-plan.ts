/**
 * Plans a brokered key before anything starts: the route by which the broker sends the key, and the variables by which the
 * program's clients find the broker. If a key cannot be planned, nothing starts. The functions are pure.
 *
 * `service-address.ts` decides to which origin the key may go. This file turns that address into a route.
 */
import { createApiPath, translateRules, listSites, findWebOrigin } from "../contract/broker/github-keys.ts";
import { type BrokerEntry, PASSWORD_SLOT, type Slot } from "../contract/broker/broker-model.ts";
import { type PathRule, parseRules } from "../contract/broker/path-rules.ts";
import { pathBelow, type Route } from "./route.ts";
import {
  type AddressFault,
  type DeclaredKey,
  findServiceAddress,
  type PlanContext,
  type ServiceAddress,
} from "./service-address.ts";

/** The plan for one key. */
export interface KeyPlan extends Pick<ServiceAddress, "trustReason" | "variable"> {
  readonly route: Route;
  /** The variables for the program that get the broker's address, each with the path after the broker's origin. */
  readonly addressPaths: Readonly<Record<string, string>>;
  /** The settings of git; absent for a key that git does not use. */
  readonly git?: {
    /** Host and port. */
    readonly host: string;
    /** True if remotes in the form of ssh (`git@github.com:…`) go through the broker, too. */
    readonly ssh: boolean;
  };
}

/** The reason why a key cannot be brokered. */
export type PlanFault =
  | AddressFault
  /** The contract at `path` changes how a built-in key is sent, although the user did not name that contract. */
  | {
      readonly kind: "untrusted-part";
      readonly name: string;
      readonly part: "headers" | "prefix";
      readonly path: string;
    }
  /** Neither the contract nor a built-in provider says in which header the key is sent. */
  | { readonly kind: "no-header"; readonly name: string }
  /** The address is no address of GitHub's API. */
  | { readonly kind: "no-github"; readonly name: string; readonly variable: string | undefined };

/** Decides where the key goes and what the program gets, or returns why the key cannot be brokered. */
export function planKey(key: DeclaredKey, context: PlanContext): KeyPlan | PlanFault {
  const { name, entry, provider, dummy } = key;
  const { contract } = context;
  const address = findServiceAddress(key, context);
  if ("kind" in address) return address;
  const slots = entry.slots ?? provider?.slots ?? [];
  if (slots.length === 0) return { kind: "no-header", name };
  const changedPart = contract.isNamed ? undefined : findUntrustedChange(key);
  if (changedPart !== undefined) return { kind: "untrusted-part", name, part: changedPart, path: contract.path };
  if (provider?.isGithub === true) return planGithubToken(key, address, contract.isNamed);
  const { url, variable, trustReason } = address;
  const { path, servicePath } = splitGatewayPath(address, key, contract.isNamed);
  const deny = listDenyRules(key, parseRules(provider?.deny ?? []), contract.isNamed);
  const route: Route = {
    name,
    dummy,
    origin: url.origin,
    path,
    servicePath,
    prefix: entry.prefix ?? provider?.prefix ?? "",
    slots,
    allow: (entry.allow ?? []).map(removeHost),
    deny: deny.map(removeHost),
    ...copyLimit(entry),
  };
  return { route, addressPaths: planAddressPaths(key, path, servicePath), trustReason, variable };
}

/** Returns the variables for the program, each with the path at the broker that stands for the path that clients expect. */
function planAddressPaths(
  { entry, provider }: DeclaredKey,
  path: string,
  servicePath: string,
): KeyPlan["addressPaths"] {
  const expectedPaths = Object.entries(entry.base ?? provider?.base ?? {});
  // Some clients send whole paths, including the end of the gateway's path. The address for these clients must not have that end.
  const serviceEnd = pathBelow("", servicePath) ?? "";
  const gatewayRoot = path.endsWith(serviceEnd) ? path.slice(0, path.length - serviceEnd.length) : path;
  const paths = expectedPaths.map(([variable, expected]) => {
    const sendsWholePaths = provider?.wholePathVariables?.includes(variable) === true;
    const base = sendsWholePaths ? gatewayRoot + expected : path + (pathBelow(servicePath, expected) ?? expected);
    return [variable, base] as const;
  });
  return Object.fromEntries(paths);
}

/** Returns the rules that deny. Only a contract that the user named can lift the built-in rules. */
function listDenyRules(
  { entry }: DeclaredKey,
  builtInRules: readonly PathRule[],
  isContractNamed: boolean,
): readonly PathRule[] {
  if (entry.deny === undefined) return builtInRules;
  return isContractNamed ? entry.deny : [...builtInRules, ...entry.deny];
}

function copyLimit({ limit }: BrokerEntry): Pick<Route, "limit"> {
  return limit === undefined ? {} : { limit };
}

/** Removes the host from a rule. A rule can only name the host of the service, and a gateway may take the place of that host. */
function removeHost({ method, segments, names, text }: PathRule): PathRule {
  return { method, segments, names, text };
}

/** Plans a token of GitHub, or of a GitHub Enterprise Server. */
function planGithubToken(
  key: DeclaredKey,
  { url, variable, trustReason }: ServiceAddress,
  isContractNamed: boolean,
): KeyPlan | PlanFault {
  const { name, entry, provider, dummy } = key;
  const origin = findWebOrigin(url, variable);
  if (origin === undefined) return { kind: "no-github", name, variable };
  const deny = listDenyRules(key, parseRules(provider?.deny ?? []), isContractNamed);
  const route: Route = {
    name,
    dummy,
    origin,
    path: "",
    servicePath: "",
    prefix: "",
    slots: [...(entry.slots ?? provider?.slots ?? []), PASSWORD_SLOT],
    allow: translateRules(entry.allow ?? [], origin),
    deny: translateRules(deny, origin),
    ...copyLimit(entry),
    sites: listSites(origin),
  };
  const addressPaths = Object.entries(entry.base ?? provider?.base ?? {}).map(
    ([setting, usualPath]) => [setting, createApiPath(setting, usualPath, origin)] as const,
  );
  const git = { host: new URL(origin).host, ssh: entry.ssh ?? true };
  return { route, addressPaths: Object.fromEntries(addressPaths), trustReason, variable, git };
}

/**
 * Returns a part of a built-in key, other than its address, that the contract changes. A contract that the user did not name must
 * not change these parts. A service may repeat a header of the contract's choice in its answer, where the program could read the
 * key. A prefix of the contract's choice hides a denied path from the rules.
 */
function findUntrustedChange({ entry, provider }: DeclaredKey): "headers" | "prefix" | undefined {
  if (provider === undefined) return undefined;
  const isBuiltIn = ({ header, scheme }: Slot): boolean =>
    provider.slots.some((slot) => slot.header === header && slot.scheme === scheme);
  if (entry.slots?.every(isBuiltIn) === false) return "headers";
  return (entry.prefix ?? provider.prefix) === provider.prefix ? undefined : "prefix";
}

/**
 * Returns the path of a gateway's address, and the path of the service for which it stands.
 *
 * Example: without a gateway, clients expect `/openai/v1` in `GROQ_API_BASE`, and no path in `GROQ_BASE_URL`. So the address
 * `https://gateway/x/openai/v1` in `GROQ_API_BASE` has its root at `/x`, which stands for the empty path of the service.
 */
function splitGatewayPath(
  { url, variable = "", trustReason }: ServiceAddress,
  { entry, provider }: DeclaredKey,
  isContractNamed: boolean,
): Pick<Route, "path" | "servicePath"> {
  const path = url.pathname.replace(/\/+$/, "");
  // A contract that the user did not name must not decide for which path the gateway's path stands: denied paths would look
  // allowed.
  if (trustReason === "allowed" && !isContractNamed && provider?.deny !== undefined) return { path, servicePath: path };
  const contractBase = entry.base ?? {};
  const builtInBase = provider?.base ?? {};
  const trustedBase = provider === undefined ? contractBase : builtInBase;
  const base = isContractNamed ? { ...builtInBase, ...contractBase } : trustedBase;
  const expectedPath = base[variable] ?? "";
  // Variables for whole paths are ignored: with their empty path, the rules would admit paths outside the gateway's path.
  const partialPaths = Object.entries(base).flatMap(([name, expected]) =>
    provider?.wholePathVariables?.includes(name) ? [] : [expected],
  );
  const shortestPath = partialPaths.reduce(
    (shortest, partialPath) => (partialPath.length < shortest.length ? partialPath : shortest),
    expectedPath,
  );
  const end = pathBelow(shortestPath, expectedPath) ?? "";
  if (!path.endsWith(end)) return { path, servicePath: expectedPath };
  return { path: path.slice(0, path.length - end.length), servicePath: shortestPath };
}
