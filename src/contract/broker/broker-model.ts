/**
 * The model of a `broker` member: where a key goes, and what the program gets in its place.
 *
 *     "broker": { "upstream": "https://api.example.com", "headers": ["Authorization: Bearer"], "base": { "EXAMPLE_URL": "/v1" } }
 */
import type { PathRule } from "./path-rules.ts";

/** The variable that tells a nested sophia-run which keys are dummies: their names, separated by commas. */
export const BROKERED_VARIABLE = "SOPHIA_BROKERED";

/** A header in which clients send the key, such as `api-key`, or `authorization` with the scheme `bearer`. */
export interface Slot {
  /** In lower case. */
  readonly header: string;
  /** In lower case; absent if the header's whole value is the key. */
  readonly scheme?: string;
  /** The key is the password of Basic credentials, behind any user name (RFC 7617). */
  readonly isPassword?: boolean;
}

/** The header of git, which sends a token as the password. GitHub accepts any user name. */
export const PASSWORD: Slot = { header: "authorization", scheme: "basic", isPassword: true };

/** The limit of requests with a key. */
export interface RequestLimit {
  /** Within any 60 seconds. */
  readonly perMinute?: number;
  /** In a whole run. */
  readonly total?: number;
}

/** The entry of a contract for one key. Each member replaces what is built in for the key. */
export interface BrokerEntry {
  /** An origin, or `${NAME}` of the variable that holds the address. */
  readonly upstream?: string;
  readonly slots?: readonly Slot[];
  /** The variables that the program gets, each with the path that clients expect in it. */
  readonly base?: Readonly<Record<string, string>>;
  /** The broker puts it in front of paths that do not begin with it. */
  readonly prefix?: string;
  readonly allow?: readonly PathRule[];
  readonly deny?: readonly PathRule[];
  readonly limit?: RequestLimit;
  /** Remotes in the form of ssh go through the broker, too; by default they do. */
  readonly ssh?: boolean;
}

/** Parses a header of a contract: `api-key`, or `Authorization: Bearer`. The schema has checked the form. */
export function slotOf(text: string): Slot {
  const [header = "", scheme] = text.toLowerCase().split(": ");
  return scheme === undefined ? { header } : { header, scheme };
}

/**
 * Matches headers that cannot hold a key, since the broker drops, replaces or refuses them: headers of one connection or of the
 * body, headers that browsers set, and cookies, which hold more than a key.
 */
const RESERVED =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|expect|origin|referer|(?:set-)?cookie2?|(?:content|proxy|sec)-.*)$/i;

/** Returns true if a header of this name cannot hold a key. */
export function isReserved(header: string): boolean {
  return RESERVED.test(header);
}
