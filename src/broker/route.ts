/**
 * The route of a brokered key says which service gets the key, in which header, and for which paths.
 *
 * `planKey` (key-plan.ts) makes a route from the contract and the address of the service. `createAdmission` (admit.ts) decides by
 * routes whether a request is passed on. This file also has the small functions for paths and origins that both need.
 */
import type { RequestLimit, Slot } from "../contract/broker/broker-model.ts";
import type { Site } from "../contract/broker/github-keys.ts";
import type { PathRule } from "../contract/broker/path-rules.ts";
import { bareHost, portOf } from "../network/network-settings.ts";

export interface Route {
  /** The variable that holds the key. */
  readonly name: string;
  /** The value that the program gets in place of the key. */
  readonly dummy: string;
  /** The origin that gets the key. */
  readonly origin: string;
  /** The path of a gateway's address, without a slash at its end; empty without a gateway. */
  readonly path: string;
  /** The path that the service itself has in place of `path`. Rules are written for the paths of the service. */
  readonly servicePath: string;
  /** The broker puts this prefix in front of paths that do not begin with it; empty if clients send the whole path. */
  readonly prefix: string;
  readonly slots: readonly Slot[];
  /** If empty, each request that is not denied is allowed. */
  readonly allow: readonly PathRule[];
  readonly deny: readonly PathRule[];
  readonly limit?: RequestLimit;
  /** The hosts of a service that has several hosts. The first of them has `origin`. Absent for other services. */
  readonly sites?: readonly Site[];
}

/** Returns the hosts of a key's service. Most services have one. */
export function routeSites({ origin, sites }: Route): readonly Site[] {
  return sites ?? [{ host: hostOf(origin), origin, hasGit: false }];
}

/** Returns all origins that get the key. */
export function originsOf({ origin, sites }: Route): readonly string[] {
  return sites === undefined ? [origin] : sites.map((site) => site.origin);
}

/**
 * Returns the part of a path after a base path: empty, or a path that begins with a slash.
 *
 * @returns undefined if the path is not at or below `base`: `/v10` is not below `/v1`
 */
export function pathBelow(base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  return rest === "" || rest.startsWith("/") ? rest : undefined;
}

/** Returns the path of a request's target, which may have a query behind it. */
export function withoutQuery(target: string): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

/** The parts of an origin. */
interface OriginAddress {
  /** Host and port. */
  readonly host: string;
  /** The host alone, without the brackets of an IPv6 address. */
  readonly bareHost: string;
  readonly port: number;
}

/** The parsed origins. The map grows with the origins of the keys and of noted redirects (at most one for each answer). */
const addresses = new Map<string, OriginAddress>();

/** Returns the parts of an origin. Each origin is parsed once, since parsing costs 2 µs. */
export function parseOrigin(origin: string): OriginAddress {
  const cachedAddress = addresses.get(origin);
  if (cachedAddress !== undefined) return cachedAddress;
  const url = new URL(origin);
  const address = { host: url.host, bareHost: bareHost(url), port: portOf(url) };
  addresses.set(origin, address);
  return address;
}

/** Returns host and port of an origin. */
export function hostOf(origin: string): string {
  return parseOrigin(origin).host;
}
