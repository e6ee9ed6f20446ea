/** The form of an `upstream`, in words; pure. */
import { isLoopback } from "../../core/loopback.ts";
import { parseUrl } from "../../core/url.ts";
import type { PathFault } from "./paths.ts";

const FORMS = "https://HOST, http:// for this machine, or ${NAME} of a declared variable";

/** Checks that a reader of the contract sees the origin that gets the key. @param upstream has the form of the schema */
export function originFault(upstream: string): PathFault | undefined {
  if (upstream.includes("${")) return ["a variable must be the whole upstream", FORMS];
  const url = parseUrl(upstream);
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
  return parseUrl(text)?.origin;
}
