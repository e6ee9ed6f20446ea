/**
 * The model of a `broker` member of a contract. With `--broker`, sophia-run keeps an API key for itself, and the
 * program gets a dummy of the key and the address of a local server, the broker. The broker puts the key into the
 * program's requests and sends them to the service. The member says where this service is, and which variable tells the
 * program the address:
 *
 *     "broker": { "upstream": "https://api.example.com", "headers": ["Authorization: Bearer"], "base": { "EXAMPLE_URL": "/v1" } }
 */
import type { PathRule } from "./path-rules.ts";

/**
 * The variable that tells a sophia-run inside the program which variables hold dummies: their names, with commas
 * between.
 */
export const BROKERED_VARIABLE = "SOPHIA_BROKERED";

/**
 * A header in which clients send a key: `api-key: KEY`, or `authorization: Bearer KEY`. The broker fills it with the
 * real key.
 */
export interface Slot {
  /** In lower case. */
  readonly header: string;
  /** The word in front of the key, in lower case; absent if the value of the header is the key alone. */
  readonly scheme?: string;
  /** True if the key is the password of Basic credentials (RFC 7617), with any user name. */
  readonly isPassword?: boolean;
}

/** The header in which git sends a token, as the password. GitHub accepts any user name. */
export const PASSWORD_SLOT: Slot = { header: "authorization", scheme: "basic", isPassword: true };

/** The limit of requests with a key. */
export interface RequestLimit {
  /** Within any 60 seconds. */
  readonly perMinute?: number;
  /** In a whole run. */
  readonly total?: number;
}

/** A compiled `broker` member. Each field that is present replaces what is built in for the key (providers.ts). */
export interface BrokerEntry {
  /** The origin of the service, or `${NAME}` of a variable that holds the address. */
  readonly upstream?: string;
  /** The headers in which clients may send the key. */
  readonly slots?: readonly Slot[];
  /**
   * The variables in which the program gets the broker's address, each with the path that clients expect in the
   * address.
   */
  readonly base?: Readonly<Record<string, string>>;
  /** The path that the broker puts in front of a request's path, unless the path begins with it already. */
  readonly prefix?: string;
  /** If present, the broker refuses requests that no rule allows. */
  readonly allow?: readonly PathRule[];
  /** The broker refuses requests that a rule denies, even if another rule allows them. */
  readonly deny?: readonly PathRule[];
  readonly limit?: RequestLimit;
  /**
   * False if git must not send requests for remotes such as `git@github.com:…` through the broker. Absent means true.
   */
  readonly ssh?: boolean;
}

/** Parses a header of a contract: `api-key`, or `Authorization: Bearer`. The schema has checked the form. */
export function parseSlot(text: string): Slot {
  const [header = "", scheme] = text.toLowerCase().split(": ");
  return scheme === undefined ? { header } : { header, scheme };
}

/**
 * Matches headers that cannot hold a key, because the broker drops, replaces or refuses them: headers of one connection
 * or of the body, headers that browsers set, and cookies, which hold more than a key.
 */
const RESERVED_HEADER =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|expect|origin|referer|(?:set-)?cookie2?|(?:content|proxy|sec)-.*)$/i;

/** Returns true if a header of this name cannot hold a key. */
export function isReservedHeader(header: string): boolean {
  return RESERVED_HEADER.test(header);
}
