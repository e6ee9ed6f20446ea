/**
 * Checks a probe, as far as the JSON Schema of contracts cannot. A probe is a request by which `sophia-run check
 * --live` tests whether a service accepts the value of a variable:
 *
 *     "probe": { "url": "https://api.example.com/me", "headers": { "Authorization": "Bearer ${EXAMPLE_KEY}" } }
 */
import { isLoopback } from "../../core/url.ts";
import type { ProbeEntry } from "../generated/document.ts";
import type { DocumentPath } from "./positions.ts";

interface ProbeIssue {
  /** The path from the probe to the faulty member. */
  readonly path: DocumentPath;
  readonly message: string;
  readonly allowed: string;
}

/**
 * Matches headers that a probe must not set: the HTTP client sets them, or they change how the request is transmitted.
 */
const RESERVED_HEADER =
  /^(?:host|connection|content-length|transfer-encoding|accept-encoding|expect|upgrade|te|trailer|cookie|proxy-.*)$/i;

/** Returns the issues of a probe. @param name the variable that the probe tests */
export function findProbeIssues(
  name: string,
  probe: Exclude<ProbeEntry, string>,
  isDeclared: (name: string) => boolean,
): readonly ProbeIssue[] {
  const issues: ProbeIssue[] = [];
  const report = (path: DocumentPath, message: string, allowed: string): void => {
    issues.push({ path, message, allowed });
  };
  const { url, headers = {}, basic, body, method = "GET" } = probe;
  const texts: readonly (readonly [DocumentPath, string | undefined])[] = [
    [["url"], url],
    ...Object.entries(headers).map(([header, value]) => [["headers", header], value] as const),
    [["basic"], basic],
    [["body"], body],
  ];
  const references = texts.flatMap(([path, text = ""]) => referencesIn(text).map((variable) => ({ path, variable })));
  for (const { path, variable } of references) {
    if (isDeclared(variable)) continue;
    report(path, "the probe refers to a variable that is not declared", `a name declared under "variables"`);
  }
  if (!references.some(({ variable }) => variable === name)) {
    report([], "the probe does not send the value", `\${${name}} in a header, the URL, basic or the body`);
  }
  const fault = findUrlFault(url);
  if (fault !== undefined) report(["url"], ...fault);
  for (const header of Object.keys(headers)) {
    const isSetByBasic = basic !== undefined && /^authorization$/i.test(header);
    if (!RESERVED_HEADER.test(header) && !isSetByBasic) continue;
    report(["headers", header], "this header cannot be set", "other headers");
  }
  if (body !== undefined && method !== "POST") report(["body"], "only a POST has a body", `"method": "POST"`);
  return issues;
}

/**
 * Checks the URL of a probe. The contract must show to which host a value is sent, and the value must be sent
 * encrypted.
 */
function findUrlFault(url: string): readonly [message: string, allowed: string] | undefined {
  const allowed = "https://HOST/…, http:// to this machine, or ${NAME}/… with the URL in a variable";
  if (url.startsWith("${")) {
    // A variable holds the beginning of the URL, up to the host. Only a path or a query may follow.
    return /^\$\{[^{}]*\}(?:[/?]|$)/.test(url) ? undefined : ["a variable must be the whole host", allowed];
  }
  const host = /^https?:\/\/([^/?]*)/.exec(url)?.[1] ?? "";
  // Any letter makes a valid URL in place of a reference.
  const urlWithoutReferences = fillReferences(url, () => "x");
  if (!URL.canParse(urlWithoutReferences) || host === "") return ["this is not a URL", allowed];
  if (host.includes("@")) return ["the URL contains a user name or a password", `"basic"`];
  if (host.includes("$")) return ["a variable is only a part of the host", allowed];
  const isUnencrypted = url.startsWith("http:") && !isLoopback(new URL(urlWithoutReferences).hostname);
  return isUnencrypted ? ["http sends the value unencrypted", allowed] : undefined;
}

/** Matches a reference to a variable: `${NAME}`. */
const REFERENCE = /\$\{([^{}]*)\}/g;

/** Returns the names of all references in a text, in their order. */
export function referencesIn(text: string): readonly string[] {
  // Fast path: most texts have no reference, and this test costs less than the pattern.
  return text.includes("${") ? Array.from(text.matchAll(REFERENCE), ([, name = ""]) => name) : [];
}

/** Replaces each reference `${NAME}` in a text by a value. */
export function fillReferences(text: string, valueOf: (name: string) => string): string {
  return text.replaceAll(REFERENCE, (_, name: string) => valueOf(name));
}
