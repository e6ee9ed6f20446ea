import { isLoopback } from "../../core/loopback.ts";
import { printable } from "../../core/text.ts";
import { invalidSetting, labelOf, type Setting } from "./variables.ts";

export const DEFAULT_BACKEND = "https://api.pulumi.com";

/**
 * The URL of the backend without a trailing slash, port and path prefix kept.
 *
 * @throws SophiaError (esc-settings, 125) for what is not a URL, has another scheme, contains credentials, or would send
 *   the token unencrypted over a network
 */
export function parseBackend(setting: Setting, insecureHttp: boolean): string {
  const text = setting.value.trim();
  const label = labelOf(setting);
  const url = parseUrl(text);
  // `host:8080` is a URL too, with the scheme `host`.
  if (url === undefined || !text.includes("://")) {
    throw invalidSetting(
      `${label} is not a URL`,
      "write it as https://host[:port][/path], or unset it for Pulumi Cloud",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw invalidSetting(`${label} contains a user name or password`, "remove them: ESC_TOKEN is the credential");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw invalidSetting(
      `${label} has the scheme ${printable(url.protocol.slice(0, -1))}, which is not that of an ESC backend`,
      "write it as https://host[:port][/path], or unset it for Pulumi Cloud",
    );
  }
  if (url.search !== "" || url.hash !== "") {
    throw invalidSetting(`${label} has a query or fragment`, "write it as https://host[:port][/path]");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecureHttp) {
    throw invalidSetting(
      `${label} is plain http to another machine: the token would be sent unencrypted`,
      "use https, or allow it with --insecure-http (SOPHIA_INSECURE_HTTP=1)",
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** The string as a URL; `undefined` where it is not one. */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
