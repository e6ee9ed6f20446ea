/**
 * Finds faults in the parts of a `broker` member of a contract: in its paths, rules, origins and variables. The check
 * of contracts uses this (file/validate-broker-key.ts), and names where each fault is.
 */
import { mayRunCode } from "../../trust/code-variables.ts";
import { mayDecideNetwork } from "../../trust/network-variables.ts";
import { enumerate } from "../../core/text.ts";
import { parseUrl, isLoopback } from "../../core/url.ts";
import { MARKED_VARIABLES } from "../../esc/settings/from-files.ts";
import { isAmbiguous } from "./path-forms.ts";
import { parseRule } from "./path-rules.ts";

/** A fault of a text: what is wrong, and what is allowed instead. */
export type MemberFault = readonly [message: string, allowed: string];

/** Checks a path of `base` or `prefix`, which precedes the path of a request. An empty text stands for no path. */
export function findPathFault(path: string): MemberFault | undefined {
  if (path === "") return undefined;
  if (path.endsWith("/")) return ["the path ends with a slash", "no slash at the end; an empty text for no path"];
  return findPathFormFault(path);
}

/** Checks the form of a rule. */
export function findRuleFault(rule: string): MemberFault | undefined {
  if (parseRule(rule) !== undefined) return undefined;
  const form = "METHOD /path, with * for any method or one segment, and ** at the end for all segments that follow";
  const path = rule.replace(/^(?:\S+: )?\S+ /, "");
  return findPathFormFault(path) ?? ["this is not a rule", form];
}

/**
 * Checks the host of a rule.
 *
 * @param hosts the hosts of the key; empty if they are known only when a program is started
 */
export function findRuleHostFault(rule: string, hosts: readonly string[]): MemberFault | undefined {
  const host = parseRule(rule)?.host;
  if (host === undefined || hosts.includes(host)) return undefined;
  const allowed = hosts.length === 0 ? "a rule without a host" : `${enumerate(hosts, "or")}, or no host for all`;
  return ["the key is not for the host of this rule", allowed];
}

/** Checks the characters of a path, and that all servers read the path in the same way. */
function findPathFormFault(path: string): MemberFault | undefined {
  if (/[?#]/.test(path)) return ["a path has no query and no fragment", "only the path"];
  if (isAmbiguous(path)) {
    return ["servers can read this path in two ways", "no empty segments, no . or .. segments, no needless escapes"];
  }
  const isPlain = /^[\w.~!$&'()*+,;=:@%/-]*$/.test(path);
  return isPlain ? undefined : ["the path has a character that URLs escape", "the escaped form, such as %20"];
}

const ORIGIN_FORMS = "https://HOST, http:// for this machine, or ${NAME} of a declared variable";

/** Checks an origin: the contract must show to which host the key is sent. @param upstream not only `${NAME}` */
export function findOriginFault(upstream: string): MemberFault | undefined {
  if (upstream.includes("${")) return ["a variable must be the whole upstream", ORIGIN_FORMS];
  const url = parseUrl(upstream);
  if (url === undefined) return ["this is not an origin", ORIGIN_FORMS];
  const { origin, username, password, protocol, hostname, pathname, search, hash } = url;
  if (username !== "" || password !== "") return ["an origin has no user name and no password", ORIGIN_FORMS];
  if (protocol === "http:" && !isLoopback(hostname)) return ["http sends the key unencrypted", ORIGIN_FORMS];
  if (pathname !== "/" || search !== "" || hash !== "") {
    return ["an origin has no path and no query", `${origin}, and the path in "base"`];
  }
  // Other spellings of hosts and ports hide where the key goes.
  return upstream === origin ? undefined : ["the origin is not in its usual form", origin];
}

/** Settings of sophia-run that it does not accept from a file, such as a contract. */
const MARKED_NAMES: ReadonlySet<string> = new Set(MARKED_VARIABLES.map((name) => name.toUpperCase()));

/** Variables that name folders of settings or code. Programs would read an address in one as a relative path. */
const FOLDER_VARIABLES: ReadonlySet<string> = new Set([
  "HOME",
  "USERPROFILE",
  "PYTHONPATH",
  "NODE_PATH",
  "CLASSPATH",
  "GOPATH",
]);

/**
 * Returns why a variable must not get the address of the broker, as the end of a sentence that begins with its name.
 * Case is ignored, as on Windows.
 */
export function findAddressNameFault(name: string): string | undefined {
  const upper = name.toUpperCase();
  if (upper === "PATH") return "decides which programs run";
  if (FOLDER_VARIABLES.has(upper)) return "decides which settings and which code programs load";
  if (mayRunCode(name) || mayRunCode(upper)) return "makes other programs run code";
  if (mayDecideNetwork(name) || MARKED_NAMES.has(upper)) return "decides how programs connect, and whom they trust";
  if (/^(?:ESC|SOPHIA|PULUMI)_/.test(upper)) return "is a setting of sophia-run or Pulumi";
  return undefined;
}
