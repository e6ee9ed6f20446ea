/** Addresses of services, and the paths in them; pure. */
import { parseUrl } from "../core/url.ts";
import { isLoopback } from "../core/loopback.ts";

/** Reads an https address, or an http one of this machine. */
export function readAddress(text: string): URL | "insecure" | "no-address" {
  const trimmed = text.trim();
  const url = /^https?:\/\//i.test(trimmed) ? parseUrl(trimmed) : undefined;
  if (url === undefined) return "no-address";
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return "no-address";
  return url.protocol === "https:" || isLoopback(url.hostname) ? url : "insecure";
}

/** Returns the rest of a path below another one, which is empty or begins with a slash; undefined if it is not below. */
export function below(base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  return rest === "" || rest.startsWith("/") ? rest : undefined;
}
