/**
 * Parses `PULUMI_BACKEND_URL`, the address of the service that ESC is a part of, such as one that an organization hosts itself.
 *
 *     https://pulumi.example.com:8443/api     https://host[:port][/path]
 *
 * The user's token is sent to this address, so plain `http` to another machine needs the user's `--insecure-http`.
 */
import type { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { parseUrl, isLoopback } from "../../core/url.ts";
import { invalidSetting, labelOf, refuseQuotes, type Setting } from "./variables.ts";

/** Pulumi Cloud, which is used if the user sets no address. */
export const DEFAULT_BACKEND = "https://api.pulumi.com";
/** The remedy for a malformed address. */
const FORM_HINT = "write it as https://host[:port][/path]";

/** Parses the URL of the service. @returns the URL without a trailing slash @throws SophiaError (esc-settings, 125) */
export function parseBackend(setting: Setting, insecureHttp: boolean): string {
  refuseQuotes(setting);
  const text = setting.value.trim();
  const refuse = (problem: string, hint: string): SophiaError => invalidSetting(`${labelOf(setting)} ${problem}`, hint);
  const url = parseUrl(text);
  const formOrUnsetHint = `${FORM_HINT}, or unset it for Pulumi Cloud`;
  // `host:8080` parses as a URL with the scheme `host`.
  if (url === undefined || !text.includes("://")) throw refuse("is not a URL", formOrUnsetHint);
  if (url.username !== "" || url.password !== "") {
    throw refuse("contains a user name or password", "remove them: ESC_TOKEN is the credential");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    const scheme = printable(url.protocol.slice(0, -1));
    throw refuse(`has the scheme ${scheme} instead of https`, formOrUnsetHint);
  }
  if (url.search !== "" || url.hash !== "") throw refuse("has a query or fragment", FORM_HINT);
  // On loopback, no other machine sees the token.
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecureHttp) {
    const problem = "is plain http to another machine: the token would be sent unencrypted";
    throw refuse(problem, "use https, or allow it with --insecure-http (SOPHIA_INSECURE_HTTP=1)");
  }
  // The paths of requests, which begin with a slash, are appended to the result.
  return url.origin + url.pathname.replace(/\/+$/, "");
}
