/**
 * Checks the `broker` member of one variable, as far as the JSON Schema of contracts cannot. broker-meaning.ts calls
 * this for each key: a variable whose value the broker holds, so that the program gets only a dummy.
 *
 *     "broker": { "upstream": "https://api.example.com", "headers": ["api-key"], "base": { "EXAMPLE_URL": "" } }
 */
import { enumerate } from "../../core/text.ts";
import { parseUrl } from "../../core/url.ts";
import { addressName, baseOf, brokerEntryOf, variableIn } from "../broker/entry.ts";
import { type BrokerEntry, isReservedHeader, slotOf } from "../broker/broker-model.ts";
import {
  baseNameFault,
  type MemberFault,
  originFault,
  pathFault,
  ruleFault,
  ruleHostFault,
} from "../broker/key-faults.ts";
import { sitesOf } from "../broker/github-keys.ts";
import { GITHUB_TOKENS, providerOf } from "../broker/providers.ts";
import type { BrokerMember, VariableEntry } from "../generated/document.ts";
import { isSecretEntry, listOf } from "./compile.ts";
import type { DocumentPath } from "./positions.ts";

/** An error in the `broker` member of a variable. */
export interface BrokerIssue {
  readonly variable: string;
  /** The path below the variable's entry. */
  readonly path: DocumentPath;
  readonly message: string;
  readonly allowed: string;
  /** The part of the member at the path that the user must correct. */
  readonly position: "key" | "value";
}

/** A declared variable whose value the broker can hold. */
export interface DeclaredKey {
  readonly name: string;
  /** The entry of the variable in the contract. */
  readonly declared: VariableEntry;
  /** Absent if the key is built in and the contract has no `broker` member for it. */
  readonly member: BrokerMember | undefined;
  /** The compiled member, without its rules. */
  readonly entry: BrokerEntry;
  /**
   * The variables in which the program gets the address of the broker. They are compared in upper case (`folded`),
   * because Windows ignores the case of names.
   */
  readonly addresses: readonly { readonly variable: string; readonly folded: string }[];
}

/** Compiles the broker's entry of a variable. @returns undefined if the broker does not hold its value */
export function compileDeclaredKey(name: string, declared: VariableEntry): DeclaredKey | undefined {
  const { broker } = declared;
  // Compiling the rules (`allow`, `deny`) may take long, and no check of the entry depends on them.
  const { allow: _allow, deny: _deny, ...memberWithoutRules } = typeof broker === "object" ? broker : {};
  const brokerPart = typeof broker === "object" ? { broker: memberWithoutRules } : {};
  const entry = brokerEntryOf({ ...declared, ...brokerPart, name, secret: isSecretEntry(declared) });
  if (entry === undefined) return undefined;
  const addresses = Object.keys(baseOf(name, entry)).map((variable) => ({ variable, folded: variable.toUpperCase() }));
  return { name, declared, member: broker, entry, addresses };
}

/** Answers questions about the other names of the contract. */
export interface KnownNames {
  readonly isDeclared: (name: string) => boolean;
  /** Returns true for a variable whose value the broker holds. */
  readonly isKey: (name: string) => boolean;
  /** Returns the variable that has this alias. */
  readonly ownerOf: (alias: string) => string | undefined;
}

type ReportIssue = (path: DocumentPath, message: string, allowed: string, position?: "key" | "value") => void;

/**
 * Returns the issues of a key's `broker` member.
 *
 * @param areRulesNew false if another profile has the same member, so that its rules were checked already
 */
export function examineKey(key: DeclaredKey, names: KnownNames, areRulesNew: boolean): readonly BrokerIssue[] {
  const issues: BrokerIssue[] = [];
  const report: ReportIssue = (path, message, allowed, position = "value") => {
    issues.push({ variable: key.name, path: ["broker", ...path], message, allowed, position });
  };
  examineFormat(key, report);
  examineMissingMembers(key, report);
  examineUpstream(key, names, report);
  examineHeaders(key, report);
  examineSsh(key, report);
  // The names that are built in need no check.
  Object.entries(key.entry.base ?? {}).forEach(([variable, path]) => {
    examineBaseName(key, variable, names, report);
    reportFault(["base", variable], pathFault(path), report);
  });
  if (typeof key.member !== "object") return issues;
  const { base, prefix = "", limit } = key.member;
  if (base !== undefined && Object.keys(base).length === 0) {
    report(["base"], "the program does not get the address of the broker", "at least one variable");
  }
  if (limit !== undefined && Object.keys(limit).length === 0) {
    report(["limit"], "the limit has no number", `"perMinute", "total" or both, such as { "perMinute": 60 }`);
  }
  reportFault(["prefix"], pathFault(prefix), report);
  if (areRulesNew) examineRules(key, key.member, report);
  return issues;
}

function examineRules(
  key: DeclaredKey,
  { allow = [], deny = [] }: Exclude<BrokerMember, boolean>,
  report: ReportIssue,
): void {
  const hosts = hostsOf(key);
  const faultOf = (rule: string): MemberFault | undefined => ruleFault(rule) ?? ruleHostFault(rule, hosts);
  allow.forEach((rule, index) => reportFault(["allow", index], faultOf(rule), report));
  deny.forEach((rule, index) => reportFault(["deny", index], faultOf(rule), report));
}

/**
 * Returns the hosts that a rule may name. If a variable holds the upstream, its host is known only when a program is
 * started. Then a rule may name the hosts of the built-in service.
 */
function hostsOf({ name, entry: { upstream } }: DeclaredKey): readonly string[] {
  const provider = providerOf(name);
  const isOrigin = upstream !== undefined && variableIn(upstream) === undefined;
  const origin = isOrigin ? upstream : provider?.origin;
  const host = origin === undefined ? undefined : parseUrl(origin)?.host;
  const githubHosts = provider?.isGithub === true ? sitesOf(provider.origin ?? "").map((site) => site.host) : [];
  return [...new Set([...githubHosts, ...listOf(host)])];
}

function examineSsh({ name, member }: DeclaredKey, report: ReportIssue): void {
  // `ssh` routes remotes of git through the broker, which works only with the hosts of GitHub.
  if (typeof member !== "object" || member.ssh === undefined || providerOf(name)?.isGithub === true) return;
  report(["ssh"], "git has no use for this key", `"ssh" only for GitHub tokens: ${GITHUB_TOKENS.join(", ")}`);
}

function reportFault(
  path: DocumentPath,
  fault: readonly [message: string, allowed: string] | undefined,
  report: ReportIssue,
): void {
  if (fault !== undefined) report(path, ...fault);
}

/** Reports a format that no dummy can have: a dummy is text with 32 random letters and digits. */
function examineFormat({ declared: { format } }: DeclaredKey, report: ReportIssue): void {
  const type = typeof format === "object" ? format.type : (format ?? "text");
  if (["text", "base64", "integer", "number"].includes(type)) return;
  report([], `a dummy key cannot have the format ${type}`, `no "format", or one of text; or "broker": false`);
}

/**
 * Reports members that are missing for a key of which sophia-run has no built-in facts. They may also follow from the
 * probe of the variable.
 */
function examineMissingMembers({ name, member, declared, entry }: DeclaredKey, report: ReportIssue): void {
  if (providerOf(name) !== undefined) return;
  const missing: readonly (readonly [member: string, example: string])[] = [
    ...(entry.upstream === undefined ? [[`"upstream"`, `"https://HOST"`] as const] : []),
    ...(entry.slots === undefined ? [[`"headers"`, `["Authorization: Bearer"]`] as const] : []),
    ...(entry.base === undefined ? [[`"base"`, `{ "${addressName(name)}": "" }`] as const] : []),
  ];
  if (missing.length === 0) return;
  const names = enumerate(missing.map(([missingMember]) => missingMember));
  if (member === true) {
    const probe = declared.probe === undefined ? "it has no probe" : "its probe has the key in no header";
    report([], `nothing is built in for ${name}, and ${probe}`, `an object with ${names}`);
  } else {
    const verb = missing.length === 1 ? "is" : "are";
    const examples = missing.map((pair) => pair.join(": ")).join(", ");
    report([], `${names} ${verb} missing: nothing is built in for ${name}`, `such as ${examples}`);
  }
}

function examineUpstream({ name, member, entry }: DeclaredKey, names: KnownNames, report: ReportIssue): void {
  const { upstream } = entry;
  // If the upstream follows from the probe, it was checked with the probe.
  if (upstream === undefined || typeof member !== "object" || member.upstream === undefined) return;
  const variable = variableIn(upstream);
  if (variable === undefined) reportFault(["upstream"], originFault(upstream), report);
  else if (!names.isDeclared(variable)) {
    report(["upstream"], "the upstream is a variable that is not declared", `a name declared under "variables"`);
  } else if (variable === name || names.isKey(variable)) {
    report(["upstream"], "the upstream is a key, not an address", "the variable that holds the address");
  }
}

function examineHeaders({ member }: DeclaredKey, report: ReportIssue): void {
  if (typeof member !== "object") return;
  const seen = new Set<string>();
  member.headers?.forEach((header, index) => {
    const folded = header.toLowerCase();
    if (seen.has(folded)) report(["headers", index], "duplicate header", "each header once");
    seen.add(folded);
    if (!isReservedHeader(slotOf(header).header)) return;
    report(["headers", index], "a key cannot stand in this header", `such as "Authorization: Bearer", or "api-key"`);
  });
}

function examineBaseName(key: DeclaredKey, variable: string, names: KnownNames, report: ReportIssue): void {
  const fault = findBaseNameFault(key, variable, names);
  if (fault === undefined) return;
  const allowed = "the variable in which clients of the service look for its address";
  report(["base", variable], `${variable} ${fault}`, allowed, "key");
}

/** Returns why a variable cannot hold the broker's address, as the end of a sentence that begins with its name. */
function findBaseNameFault({ name }: DeclaredKey, variable: string, names: KnownNames): string | undefined {
  if (variable === name || names.isKey(variable)) return "is a brokered key";
  const owner = names.ownerOf(variable);
  return owner === undefined ? baseNameFault(variable) : `is another name of ${owner}`;
}
