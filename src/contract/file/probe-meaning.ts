import { isLoopback } from "../../core/url.ts";
import type { ProbeEntry } from "../generated/document.ts";
import type { Path } from "./positions.ts";

interface Problem {
  readonly path: Path;
  readonly message: string;
  readonly allowed: string;
}

const RESERVED =
  /^(?:host|connection|content-length|transfer-encoding|accept-encoding|expect|upgrade|te|trailer|cookie|proxy-.*)$/i;

/** Returns the problems of a probe that its schema does not find. */
export function examineProbe(
  name: string,
  probe: Exclude<ProbeEntry, string>,
  isDeclared: (name: string) => boolean,
): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (path: Path, message: string, allowed: string): void => void problems.push({ path, message, allowed });
  const { url, headers = {}, basic, body, method = "GET" } = probe;
  const texts: readonly (readonly [Path, string | undefined])[] = [
    [["url"], url],
    ...Object.entries(headers).map(([header, value]) => [["headers", header], value] as const),
    [["basic"], basic],
    [["body"], body],
  ];
  const referred = texts.flatMap(([path, text = ""]) => referencesIn(text).map((variable) => ({ path, variable })));
  for (const { path, variable } of referred) {
    if (isDeclared(variable)) continue;
    report(path, "the probe refers to a variable that is not declared", `a name declared under "variables"`);
  }
  if (!referred.some(({ variable }) => variable === name)) {
    report([], "the probe does not send the value", `\${${name}} in a header, the URL, basic or the body`);
  }
  const fault = urlFault(url);
  if (fault !== undefined) report(["url"], ...fault);
  for (const header of Object.keys(headers)) {
    if (!RESERVED.test(header) && !(basic !== undefined && /^authorization$/i.test(header))) continue;
    report(["headers", header], "this header cannot be set", "other headers");
  }
  if (body !== undefined && method !== "POST") report(["body"], "only a POST has a body", `"method": "POST"`);
  return problems;
}

/** Checks that a reader of the contract sees the host of each value. @returns the message and the allowed forms */
function urlFault(url: string): readonly [string, string] | undefined {
  const allowed = "https://HOST/…, http:// to this machine, or ${NAME}/… with the URL in a variable";
  if (url.startsWith("${")) {
    return /^\$\{[^{}]*\}(?:[/?]|$)/.test(url) ? undefined : ["a variable must be the whole host", allowed];
  }
  const host = /^https?:\/\/([^/?]*)/.exec(url)?.[1] ?? "";
  const filled = fill(url, () => "x");
  if (!URL.canParse(filled) || host === "") return ["this is not a URL", allowed];
  if (host.includes("@")) return ["the URL contains a user name or a password", `"basic"`];
  if (host.includes("$")) return ["a variable is only a part of the host", allowed];
  const isPlain = url.startsWith("http:") && !isLoopback(new URL(filled).hostname);
  return isPlain ? ["http sends the value unencrypted", allowed] : undefined;
}

const REFERENCE = /\$\{([^{}]*)\}/g;

/** Returns the names in `${NAME}`, in their order. */
export function referencesIn(text: string): readonly string[] {
  // A look is cheaper than the pattern, and most texts have none.
  return text.includes("${") ? Array.from(text.matchAll(REFERENCE), ([, name = ""]) => name) : [];
}

/** Replaces each `${NAME}` by a value. */
export function fill(text: string, valueOf: (name: string) => string): string {
  return text.replaceAll(REFERENCE, (_, name: string) => valueOf(name));
}
