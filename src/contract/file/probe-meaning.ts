/** What the schema cannot check of a probe; pure. */
import { isLoopback } from "../../core/loopback.ts";
import type { ProbeEntry } from "../generated/document.ts";
import { fill, referencesIn } from "../references.ts";
import type { Path } from "./fault.ts";

interface Problem {
  readonly path: Path;
  readonly message: string;
  readonly allowed: string;
}

/** Headers that say how a request is sent, and not what it asks for. */
const RESERVED =
  /^(?:host|connection|content-length|transfer-encoding|accept-encoding|expect|upgrade|te|trailer|cookie|proxy-.*)$/i;

/** @param isDeclared whether a variable of that name is declared */
export function examineProbe(
  name: string,
  probe: Exclude<ProbeEntry, string>,
  isDeclared: (name: string) => boolean,
): readonly Problem[] {
  const problems: Problem[] = [];
  const { url, headers = {}, basic, body, method = "GET" } = probe;
  const texts: readonly (readonly [Path, string])[] = [
    [["url"], url],
    ...Object.entries(headers).map(([header, value]) => [["headers", header], value] as const),
    ...(basic === undefined ? [] : [[["basic"], basic] as const]),
    ...(body === undefined ? [] : [[["body"], body] as const]),
  ];
  const referred = texts.flatMap(([path, text]) => referencesIn(text).map((variable) => ({ path, variable })));
  for (const { path, variable } of referred) {
    if (isDeclared(variable)) continue;
    const message = "the probe refers to a variable that is not declared";
    problems.push({ path, message, allowed: `a name declared under "variables"` });
  }
  if (!referred.some(({ variable }) => variable === name)) {
    problems.push({
      path: [],
      message: "the probe does not send the value",
      allowed: `\${${name}} in a header, the URL, basic or the body`,
    });
  }
  const fault = urlFault(url);
  if (fault !== undefined) problems.push({ path: ["url"], ...fault });
  for (const header of Object.keys(headers)) {
    if (!RESERVED.test(header) && !(basic !== undefined && /^authorization$/i.test(header))) continue;
    problems.push({
      path: ["headers", header],
      message: "this header cannot be set",
      allowed: "other headers",
    });
  }
  if (body !== undefined && method !== "POST") {
    problems.push({ path: ["body"], message: "only a POST has a body", allowed: `"method": "POST"` });
  }
  return problems;
}

/** Where the value goes must be plain to whoever reads the contract. */
function urlFault(url: string): { readonly message: string; readonly allowed: string } | undefined {
  const allowed = "https://HOST/…, http:// to this machine, or ${NAME}/… where the variable holds the address";
  if (url.startsWith("${")) {
    return /^\$\{[^{}]*\}(?:[/?]|$)/.test(url)
      ? undefined
      : { message: "the host is not a variable as a whole", allowed };
  }
  const host = /^https?:\/\/([^/?]*)/.exec(url)?.[1] ?? "";
  const filled = fill(url, () => "x");
  if (!URL.canParse(filled) || host === "") return { message: "this is not a URL", allowed };
  if (host.includes("@")) return { message: "a user name or a password stands in the URL", allowed: `"basic"` };
  if (host.includes("$")) return { message: "a variable is a part of the host", allowed };
  if (url.startsWith("http:") && !isLoopback(new URL(filled).hostname)) {
    return { message: "plain http would send the value unencrypted", allowed };
  }
  return undefined;
}
