/**
 * Finds the key that a request asks for, by the dummy in its headers. admit.ts calls this for each request. The functions are pure.
 *
 * A request must carry exactly one dummy, whole and once, in a header in which clients send that key:
 *
 *     Authorization: Bearer sk-sophia-…            the dummy as it is
 *     x-api-key: sk-ant-sophia-…
 *     Authorization: Basic eC1hY2Nlc3MtdG9rZ…      `user:DUMMY` in base64, for keys that clients send as a password (git)
 *
 * A dummy in any other place is refused, since the broker would not replace it there. The service would get the dummy and answer
 * with an error that the user could not explain.
 */
import { hash, randomBytes } from "node:crypto";
import type { Slot } from "../contract/broker/broker-model.ts";
import type { HeaderFields } from "./header-fields.ts";
import { createRefusal, type Refusal } from "./refusals.ts";
import type { Route } from "./route.ts";

/** The key that a request asks for, and the header in which its dummy is. */
export interface RequestKey {
  readonly route: Route;
  readonly slot: Slot;
}

/** Finds the key of a request. @returns a refusal if the request does not have exactly one dummy in a right place */
export type FindRequestKey = (target: string, headers: HeaderFields) => RequestKey | Refusal;

/** A header with the dummy of a route. */
interface HeaderWithDummy {
  /** The name of the header, in lower case. */
  readonly header: string;
  /** The scheme in front of the dummy, in lower case; undefined if the dummy is the whole value. */
  readonly scheme: string | undefined;
  readonly route: Route;
  /** True if the dummy is the password in Basic credentials. */
  readonly isPassword: boolean;
}

/** Matches a scheme and its credentials, such as `Bearer TOKEN`. */
const SCHEME_AND_CREDENTIALS = /^([\w-]+) +(\S+)$/;

/** Returns a function that finds the key of a request among these routes. */
export function createKeyFinder(routes: readonly Route[]): FindRequestKey {
  const routeByDummy = createDummyLookup(routes);
  const slotHeaders = new Set(routes.flatMap(({ slots }) => slots.map(({ header }) => header)));

  return (target, headers) => {
    const [use, ...furtherUses] = findHeadersWithDummies(routes, headers, slotHeaders, routeByDummy);
    const dummyCount = countDummies(routes, target, headers);
    if (use === undefined) {
      if (dummyCount > 0) return createRefusal("broker-denied", "a key stands where it is not accepted");
      return explainMissingKey(routes, headers, slotHeaders);
    }
    const { name } = use.route;
    // `countDummies` does not see a password, which is in base64.
    const expectedCount = use.isPassword ? 0 : 1;
    if (furtherUses.length > 0 || dummyCount > expectedCount) {
      return createRefusal("broker-denied", "the request has two keys, or one twice", name);
    }
    return findSlot(use, headers);
  };
}

/** Returns a function that finds the route of a dummy. */
function createDummyLookup(routes: readonly Route[]): (text: string) => Route | undefined {
  // The lookup is by a keyed hash: the time of a comparison then reveals nothing about a dummy. An HMAC object costs 30 µs
  // on Node.js 24 and memory outside the heap, which a collection frees late; this call costs 1 µs.
  const secret = randomBytes(32).toString("base64");
  const keyedHash = (text: string): string => hash("sha256", secret + text, "base64");
  const routesByHash = new Map(routes.map((route) => [keyedHash(route.dummy), route]));
  return (text) => routesByHash.get(keyedHash(text));
}

/** Returns the headers with a dummy as their value, as their credentials, or as the password in Basic credentials. */
function findHeadersWithDummies(
  routes: readonly Route[],
  headers: HeaderFields,
  slotHeaders: ReadonlySet<string>,
  routeByDummy: (text: string) => Route | undefined,
): readonly HeaderWithDummy[] {
  const headersWithDummies: HeaderWithDummy[] = [];
  for (let index = 0; index < headers.names.length; index++) {
    const header = headers.names[index] ?? "";
    if (!slotHeaders.has(header)) continue;
    const value = headers.values[index] ?? "";
    const [, writtenScheme, credentials = value] = SCHEME_AND_CREDENTIALS.exec(value) ?? [];
    const scheme = writtenScheme?.toLowerCase();
    const route = routeByDummy(credentials);
    if (route !== undefined) headersWithDummies.push({ header, scheme, route, isPassword: false });
    const basic = scheme === "basic" ? parseBasicCredentials(credentials) : undefined;
    if (basic === undefined) continue;
    const passwordRoute = routeByDummy(basic.password);
    if (passwordRoute?.slots.some(({ isPassword }) => isPassword === true) !== true) continue;
    const headerWithPassword = { header, scheme, route: passwordRoute, isPassword: true };
    headersWithDummies.push(headerWithPassword);
    // A dummy in the user name is a second use, for which the request is refused.
    if (routes.some(({ dummy }) => basic.user.includes(dummy))) headersWithDummies.push(headerWithPassword);
  }
  return headersWithDummies;
}

/** Returns the refusal of a request in which no unencoded dummy was found. */
function explainMissingKey(routes: readonly Route[], headers: HeaderFields, slotHeaders: ReadonlySet<string>): Refusal {
  const route = findInBasicCredentials(routes, headers);
  if (route !== undefined) {
    const problem = `${route.name} is not replaced in Basic credentials (base64)`;
    return createRefusal("broker-denied", `${problem}; send it as it is, in ${describeSlots(route)}`, route.name);
  }
  const message = "the request has no key of this run; send the value of the key's variable";
  const isGuess = headers.names.some((header) => slotHeaders.has(header));
  return { ...createRefusal("broker-key", message), isGuess };
}

/** Returns the slot of the route in which the dummy is, or a refusal if the key is not accepted there. */
function findSlot(use: HeaderWithDummy, headers: HeaderFields): RequestKey | Refusal {
  const { route } = use;
  const slot = route.slots.find(
    ({ header, scheme, isPassword = false }) =>
      header === use.header && scheme === use.scheme && isPassword === use.isPassword,
  );
  if (slot !== undefined && headers.isNamedByConnection(slot.header)) {
    const problem = `the Connection header names ${slot.header}, which is then not passed on`;
    return createRefusal("broker-request", problem, route.name);
  }
  // Servers differ in which of two headers of one name they read.
  if (slot !== undefined && headers.valuesOf(slot.header).length === 1) return { route, slot };
  const problem = `${route.name} is accepted in one header alone: ${describeSlots(route)}`;
  return createRefusal("broker-denied", problem, route.name);
}

function describeSlots({ slots }: Route): string {
  const texts = slots.map(({ header, scheme, isPassword }) => {
    return scheme === undefined ? header : `${header}: ${scheme}${isPassword === true ? " (as the password)" : ""}`;
  });
  return texts.join(" or ");
}

/**
 * Parses Basic credentials (RFC 7617): `user:password` in base64.
 *
 * @returns undefined if servers may decode the text differently
 */
function parseBasicCredentials(text: string): { readonly user: string; readonly password: string } | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) return undefined;
  const [, user, password] = /^([^:]*):(.*)$/s.exec(bytes.toString("latin1")) ?? [];
  return user === undefined || password === undefined ? undefined : { user, password };
}

/** Counts the dummies in all headers and in the target, where their characters may be escaped. */
function countDummies(routes: readonly Route[], target: string, { raw }: HeaderFields): number {
  // All is joined to one text, since most of the cost of a search is its start. A match cannot span two parts: no dummy has a line
  // break.
  const text = `${raw.join("\n")}\n${target}\n${target.includes("%") ? decodeEscapes(target) : ""}`;
  let count = 0;
  for (const { dummy } of routes) {
    let offset = text.indexOf(dummy);
    while (offset !== -1) {
      count += 1;
      offset = text.indexOf(dummy, offset + dummy.length);
    }
  }
  return count;
}

/** Returns the route whose dummy is anywhere in Basic credentials (RFC 7617), so that the refusal can explain the problem. */
function findInBasicCredentials(routes: readonly Route[], { values }: HeaderFields): Route | undefined {
  const encoded = values.flatMap((value) => /^basic +(\S+)$/i.exec(value)?.[1] ?? []);
  const texts = encoded.map((text) => Buffer.from(text, "base64").toString("latin1"));
  return routes.find(({ dummy }) => texts.some((text) => text.includes(dummy)));
}

/** Decodes each escape as one character. Dummies are ASCII, so that the escapes of other characters do not matter here. */
function decodeEscapes(target: string): string {
  return target.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
