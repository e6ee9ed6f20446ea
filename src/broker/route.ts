/** A brokered key, once the contract was read and the address of its service was decided. */
import type { RequestLimit, Slot } from "../contract/broker/broker-model.ts";
import type { Site } from "../contract/broker/github-keys.ts";
import type { PathRule } from "../contract/broker/path-rules.ts";
import { bareHost, portOf } from "../network/network-settings.ts";

export interface Route {
  /** The variable that holds the key. */
  readonly name: string;
  /** The value that the program gets in place of the key. */
  readonly dummy: string;
  /** The origin that gets the key. The path is that of a gateway's address, without a slash at its end; mostly empty. */
  readonly origin: string;
  readonly path: string;
  /** The path that the service itself has in place of the gateway's: rules are written for that one. */
  readonly servicePath: string;
  /** Put in front of paths that do not begin with it; empty if clients send the whole path. */
  readonly prefix: string;
  readonly slots: readonly Slot[];
  /** Empty: all that is not denied is allowed. */
  readonly allow: readonly PathRule[];
  readonly deny: readonly PathRule[];
  readonly limit?: RequestLimit;
  /** The hosts of a service that has several; `origin` is that of the first one. */
  readonly sites?: readonly Site[];
}

/** Returns all origins that get the key. */
export function originsOf({ origin, sites }: Route): readonly string[] {
  return sites === undefined ? [origin] : sites.map((site) => site.origin);
}

/** Returns the rest of a path below another one, which is empty or begins with a slash; undefined if it is not below. */
export function below(base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  return rest === "" || rest.startsWith("/") ? rest : undefined;
}

/** Returns the path of a target. */
export function withoutQuery(target: string): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

interface Address {
  /** Host and port. */
  readonly host: string;
  /** The host alone, without brackets. */
  readonly bare: string;
  readonly port: number;
}

const addresses = new Map<string, Address>();

/** Returns the parts of an origin, each of which is parsed once: that costs 2 µs. */
export function addressIn(origin: string): Address {
  const known = addresses.get(origin);
  if (known !== undefined) return known;
  const url = new URL(origin);
  const address = { host: url.host, bare: bareHost(url), port: portOf(url) };
  addresses.set(origin, address);
  return address;
}

/** Returns host and port of an origin. */
export function hostOf(origin: string): string {
  return addressIn(origin).host;
}
