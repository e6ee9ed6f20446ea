/**
 * Makes the HTTP request by which `check --live` tests a value. The contract declares the request as a template with
 * references to values. Each value is escaped for its place, so that it cannot change the rest of the request:
 *
 *     {"url": "${QDRANT_URL}/collections", "headers": {"api-key": "${QDRANT_API_KEY}"}}
 */
import type { ProbeEntry } from "../../../contract/generated/document.ts";
import { fillReferences } from "../../../contract/file/validate-probe.ts";
import { printable } from "../../../core/text.ts";
import { isLoopback, parseUrl } from "../../../core/url.ts";
import type { HttpProbe } from "./http-probe.ts";

export type ProbeTemplate = Exclude<ProbeEntry, string>;

/** Returns the value of a variable. */
type ValueLookup = (name: string) => string;

/**
 * Returns the variable that holds scheme and host: `QDRANT_URL` for `${QDRANT_URL}/collections`; undefined for a fixed
 * host.
 */
export function findVariableInHost(url: string): string | undefined {
  return /^\$\{([^{}]*)\}/.exec(url)?.[1];
}

/** Fills the URL of a template. The value of a variable in place of the host is not escaped; all other values are. */
export function fillUrl(url: string, valueOf: ValueLookup): string {
  const hostName = findVariableInHost(url);
  const fillEscaped = (text: string): string => fillReferences(text, (name) => encodeURIComponent(valueOf(name)));
  if (hostName === undefined) return fillEscaped(url);
  const baseUrl = valueOf(hostName).trim().replace(/\/+$/, "");
  return baseUrl + fillEscaped(url.slice(`\${${hostName}}`.length));
}

/**
 * Creates the request of a template.
 *
 * @param address the URL that {@link fillUrl} has returned
 * @returns a reason, in which no value appears, if the request cannot be sent safely
 */
export function createHttpProbe(template: ProbeTemplate, address: string, valueOf: ValueLookup): HttpProbe | string {
  const { body, method = "GET", expect = [200], reject = [401] } = template;
  const hostName = findVariableInHost(template.url);
  const shownAddress = hostName === undefined ? "the address" : printable(hostName);
  const url = parseUrl(address);
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return `${shownAddress} is not a URL with https`;
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) return `${shownAddress} is plain http to another machine`;
  if (url.username !== "" || url.password !== "") return "the address has a user name or a password in it";
  const headers = fillHeaders(template, valueOf);
  // An invalid header would fail only while the request is sent. The usual case is a value with a line break at its end.
  if (Object.values(headers).some((value) => !/^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value))) {
    return "it contains characters that are invalid in a header, such as a line break";
  }
  const filledBody = body === undefined ? undefined : fillReferences(body, (name) => escapeForJson(valueOf(name)));
  return { url, method, headers, body: filledBody, expect, reject };
}

function fillHeaders(
  { headers = {}, basic, body }: ProbeTemplate,
  valueOf: ValueLookup,
): Readonly<Record<string, string>> {
  const filledHeaders = Object.entries(headers).map(([name, value]) => [name, fillReferences(value, valueOf)] as const);
  return {
    Accept: "application/json",
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...Object.fromEntries(filledHeaders),
    ...(basic === undefined
      ? {}
      : { Authorization: `Basic ${Buffer.from(fillReferences(basic, valueOf)).toString("base64")}` }),
  };
}

/** Escapes a value that stands within the quotation marks of a JSON string. */
function escapeForJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}
