/** The form of an `upstream`, in words; pure. */
import { isLoopback } from "../../core/loopback.ts";
import type { PathFault } from "./paths.ts";

const FORMS = "https://HOST, http:// for this machine, or ${NAME} of a declared variable";

/** An origin that needs no parser: the executables parse other URLs only in Bun, which takes time at each start. */
const PLAIN_ORIGIN =
  /^https:\/\/(?:(?!xn--)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,8}[a-z]{2,20}(?::(?!443$)[1-9]\d{1,3})?$/;

/** Checks that a reader of the contract sees the origin that gets the key. @param upstream has the form of the schema */
export function originFault(upstream: string): PathFault | undefined {
  if (PLAIN_ORIGIN.test(upstream)) return undefined;
  if (upstream.includes("${")) return ["a variable must be the whole upstream", FORMS];
  const url = parsed(upstream);
  if (url === undefined) return ["this is not an origin", FORMS];
  const { origin, username, password, protocol, hostname, pathname, search, hash } = url;
  if (username !== "" || password !== "") return ["an origin has no user name and no password", FORMS];
  if (protocol === "http:" && !isLoopback(hostname)) return ["http sends the key unencrypted", FORMS];
  if (pathname !== "/" || search !== "" || hash !== "") {
    return ["an origin has no path and no query", `${origin}, and the path in "base"`];
  }
  // Other spellings of hosts and ports hide where the key goes.
  return upstream === origin ? undefined : ["the origin is not in its usual form", origin];
}

/** Returns the origin as it is used. @returns undefined if the text is no address */
export function originOf(text: string): string | undefined {
  return PLAIN_ORIGIN.test(text) ? text : parsed(text)?.origin;
}

/** URL.canParse of Node.js 20 answers false for hosts such as `sö.test` once V8 has compiled the call. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
