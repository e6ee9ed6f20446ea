/** The part of a contract that says where a key goes and what the program gets for it. */
import type { PathRule } from "./path-rules.ts";

/** Names the keys that a program has dummies of, for a nested sophia-run. */
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

/** git's: GitHub takes any user name. */
export const PASSWORD: Slot = { header: "authorization", scheme: "basic", isPassword: true };

/** The most requests with a key. */
export interface RequestLimit {
  /** Within any 60 seconds. */
  readonly perMinute?: number;
  /** In a whole run. */
  readonly total?: number;
}

/** A contract's entry for one key; its members replace the built-in ones. */
export interface BrokerEntry {
  /** An origin, or `${NAME}` of the variable that holds the address. */
  readonly upstream?: string;
  readonly slots?: readonly Slot[];
  /** The variables that the program gets, each with the path that clients expect in it. */
  readonly base?: Readonly<Record<string, string>>;
  /** Put in front of paths that do not begin with it. */
  readonly prefix?: string;
  readonly allow?: readonly PathRule[];
  readonly deny?: readonly PathRule[];
  readonly limit?: RequestLimit;
  /** Remotes in the form of ssh go through the broker, too; by default they do. */
  readonly ssh?: boolean;
}

/** Returns the slot of a text that has the form of the schema: `api-key`, or `Authorization: Bearer`. */
export function slotOf(text: string): Slot {
  const [header = "", scheme] = text.toLowerCase().split(": ");
  return scheme === undefined ? { header } : { header, scheme };
}

/**
 * Headers of one connection or of the body, those that browsers set, and cookies, which hold more than a key. The broker drops,
 * replaces or refuses them.
 */
const RESERVED =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|expect|origin|referer|(?:set-)?cookie2?|(?:content|proxy|sec)-.*)$/i;

/** Returns true if no key may stand in a header of this name. */
export function isReserved(header: string): boolean {
  return RESERVED.test(header);
}
