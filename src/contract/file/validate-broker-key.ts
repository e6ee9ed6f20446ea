/**
 * Checks the `broker` member of one variable, as far as the JSON Schema of contracts cannot. validate-brokers.ts calls
 * this for each key: a variable whose value the broker holds, so that the program gets only a dummy. For example, it
 * checks that `upstream` is an origin and that `EXAMPLE_URL` is not a key itself:
 *
 *     "broker": { "upstream": "https://api.example.com", "headers": ["api-key"], "base": { "EXAMPLE_URL": "" } }
 */
import { enumerate } from "../../core/text.ts";
import { parseUrl } from "../../core/url.ts";
import { suggestAddressName, baseOf, compileBrokerEntry, parseUpstreamVariable } from "../broker/entry.ts";
import { type BrokerEntry, isReservedHeader, parseSlot } from "../broker/broker-model.ts";
import {
  findAddressNameFault,
  type MemberFault,
  findOriginFault,
  findPathFault,
  findRuleFault,
  findRuleHostFault,
} from "../broker/key-faults.ts";
import { listSites } from "../broker/github-keys.ts";
import { GITHUB_TOKENS, providerOf } from "../broker/providers.ts";
import type { BrokerMember, VariableEntry } from "../generated/document.ts";
import { isSecretEntry, toList } from "./compile.ts";
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
  readonly variableEntry: VariableEntry;
  /** Absent if the key is built in and the contract has no `broker` member for it. */
  readonly brokerMember: BrokerMember | undefined;
  /** The compiled member, without its rules. */
  readonly brokerEntry: BrokerEntry;
  /**
   * The variables in which the program gets the address of the broker. They are compared in upper case (`upperCaseName`),
   * because Windows ignores the case of names.
   */
  readonly addressVariables: readonly { readonly name: string; readonly upperCaseName: string }[];
}

/** Compiles the broker's entry of a variable. @returns undefined if the broker does not hold its value */
export function compileDeclaredKey(name: string, variableEntry: VariableEntry): DeclaredKey | undefined {
  const { broker: brokerMember } = variableEntry;
  // Compiling the rules (`allow`, `deny`) may take long, and no check of the entry depends on them.
  const { allow: _allow, deny: _deny, ...memberWithoutRules } = typeof brokerMember === "object" ? brokerMember : {};
  const brokerPart = typeof brokerMember === "object" ? { broker: memberWithoutRules } : {};
  const secret = isSecretEntry(variableEntry);
  const brokerEntry = compileBrokerEntry({ ...variableEntry, ...brokerPart, name, secret });
  if (brokerEntry === undefined) return undefined;
  const addressVariables = Object.keys(baseOf(name, brokerEntry)).map((addressVariable) => ({
    name: addressVariable,
    upperCaseName: addressVariable.toUpperCase(),
  }));
  return { name, variableEntry, brokerMember, brokerEntry, addressVariables };
}

/** Answers questions about the other names of the contract. */
export interface ContractNames {
  readonly isDeclared: (name: string) => boolean;
  /** Returns true for a variable whose value the broker holds. */
  readonly isKey: (name: string) => boolean;
  /** Returns the variable that has this alias. */
  readonly variableWithAlias: (alias: string) => string | undefined;
}

/** A `broker` member that is an object. */
type BrokerObject = Exclude<BrokerMember, boolean>;

/** Reports an issue at a path below the `broker` member. */
type ReportIssue = (path: DocumentPath, message: string, allowed: string, position?: "key" | "value") => void;

/**
 * Returns the issues of a key's `broker` member.
 *
 * @param options.checksRules false if another profile has the same member, so that its rules were checked already
 */
export function findKeyIssues(
  key: DeclaredKey,
  names: ContractNames,
  { checksRules }: { readonly checksRules: boolean },
): readonly BrokerIssue[] {
  const issues: BrokerIssue[] = [];
  const report: ReportIssue = (path, message, allowed, position = "value") => {
    issues.push({ variable: key.name, path: ["broker", ...path], message, allowed, position });
  };
  validateFormat(key, report);
  reportMissingMembers(key, report);
  validateUpstream(key, names, report);
  validateHeaders(key, report);
  validateSsh(key, report);
  // The names that are built in need no check.
  Object.entries(key.brokerEntry.base ?? {}).forEach(([variable, path]) => {
    validateAddressVariable(key, variable, names, report);
    reportFault(["base", variable], findPathFault(path), report);
  });
  if (typeof key.brokerMember !== "object") return issues;
  validateEmptyMembers(key.brokerMember, report);
  reportFault(["prefix"], findPathFault(key.brokerMember.prefix ?? ""), report);
  if (checksRules) validateRules(key, key.brokerMember, report);
  return issues;
}

function validateEmptyMembers({ base, limit }: BrokerObject, report: ReportIssue): void {
  if (base !== undefined && Object.keys(base).length === 0) {
    report(["base"], "the program does not get the address of the broker", "at least one variable");
  }
  if (limit !== undefined && Object.keys(limit).length === 0) {
    report(["limit"], "the limit has no number", `"perMinute", "total" or both, such as { "perMinute": 60 }`);
  }
}

function validateRules(key: DeclaredKey, { allow = [], deny = [] }: BrokerObject, report: ReportIssue): void {
  const hosts = findRuleHosts(key);
  const findFault = (rule: string): MemberFault | undefined => findRuleFault(rule) ?? findRuleHostFault(rule, hosts);
  allow.forEach((rule, index) => reportFault(["allow", index], findFault(rule), report));
  deny.forEach((rule, index) => reportFault(["deny", index], findFault(rule), report));
}

/**
 * Returns the hosts that a rule may name. If a variable holds the upstream, its host is known only when a program is
 * started. Then a rule may name the hosts of the built-in service.
 */
function findRuleHosts({ name, brokerEntry: { upstream } }: DeclaredKey): readonly string[] {
  const provider = providerOf(name);
  const isOrigin = upstream !== undefined && parseUpstreamVariable(upstream) === undefined;
  const origin = isOrigin ? upstream : provider?.origin;
  const host = origin === undefined ? undefined : parseUrl(origin)?.host;
  const githubHosts = provider?.isGithub === true ? listSites(provider.origin ?? "").map((site) => site.host) : [];
  return [...new Set([...githubHosts, ...toList(host)])];
}

function validateSsh({ name, brokerMember }: DeclaredKey, report: ReportIssue): void {
  if (typeof brokerMember !== "object" || brokerMember.ssh === undefined) return;
  // `ssh` routes remotes of git through the broker, which works only with the hosts of GitHub.
  if (providerOf(name)?.isGithub === true) return;
  report(["ssh"], "git has no use for this key", `"ssh" only for GitHub tokens: ${GITHUB_TOKENS.join(", ")}`);
}

function reportFault(path: DocumentPath, fault: MemberFault | undefined, report: ReportIssue): void {
  if (fault !== undefined) report(path, ...fault);
}

/** Reports a format that no dummy can have: a dummy is text with 32 random letters and digits. */
function validateFormat({ variableEntry: { format } }: DeclaredKey, report: ReportIssue): void {
  const type = typeof format === "object" ? format.type : (format ?? "text");
  if (["text", "base64", "integer", "number"].includes(type)) return;
  report([], `a dummy key cannot have the format ${type}`, `no "format", or one of text; or "broker": false`);
}

/**
 * Reports members that are missing for a key of which sophia-run has no built-in facts. They may also follow from the
 * probe of the variable.
 */
function reportMissingMembers(key: DeclaredKey, report: ReportIssue): void {
  const { name, brokerMember, variableEntry } = key;
  if (providerOf(name) !== undefined) return;
  const missingMembers = findMissingMembers(key);
  if (missingMembers.length === 0) return;
  const memberNames = enumerate(missingMembers.map(({ member }) => member));
  if (brokerMember === true) {
    const probe = variableEntry.probe === undefined ? "it has no probe" : "its probe has the key in no header";
    report([], `nothing is built in for ${name}, and ${probe}`, `an object with ${memberNames}`);
  } else {
    const verb = missingMembers.length === 1 ? "is" : "are";
    const examples = missingMembers.map(({ member, example }) => `${member}: ${example}`).join(", ");
    report([], `${memberNames} ${verb} missing: nothing is built in for ${name}`, `such as ${examples}`);
  }
}

/** Returns the members that a key needs but does not have, in quotes, each with an example of its value. */
function findMissingMembers({ name, brokerEntry }: DeclaredKey): readonly { member: string; example: string }[] {
  return [
    ...(brokerEntry.upstream === undefined ? [{ member: `"upstream"`, example: `"https://HOST"` }] : []),
    ...(brokerEntry.slots === undefined ? [{ member: `"headers"`, example: `["Authorization: Bearer"]` }] : []),
    ...(brokerEntry.base === undefined ? [{ member: `"base"`, example: `{ "${suggestAddressName(name)}": "" }` }] : []),
  ];
}

function validateUpstream(
  { name, brokerMember, brokerEntry }: DeclaredKey,
  names: ContractNames,
  report: ReportIssue,
): void {
  const { upstream } = brokerEntry;
  // If the upstream follows from the probe, it was checked with the probe.
  if (upstream === undefined || typeof brokerMember !== "object" || brokerMember.upstream === undefined) return;
  const variable = parseUpstreamVariable(upstream);
  if (variable === undefined) reportFault(["upstream"], findOriginFault(upstream), report);
  else if (!names.isDeclared(variable)) {
    report(["upstream"], "the upstream is a variable that is not declared", `a name declared under "variables"`);
  } else if (variable === name || names.isKey(variable)) {
    report(["upstream"], "the upstream is a key, not an address", "the variable that holds the address");
  }
}

function validateHeaders({ brokerMember }: DeclaredKey, report: ReportIssue): void {
  if (typeof brokerMember !== "object") return;
  const previousHeaders = new Set<string>();
  brokerMember.headers?.forEach((header, index) => {
    const lowerCaseHeader = header.toLowerCase();
    if (previousHeaders.has(lowerCaseHeader)) report(["headers", index], "duplicate header", "each header once");
    previousHeaders.add(lowerCaseHeader);
    if (!isReservedHeader(parseSlot(header).header)) return;
    report(["headers", index], "a key cannot stand in this header", `such as "Authorization: Bearer", or "api-key"`);
  });
}

function validateAddressVariable(key: DeclaredKey, variable: string, names: ContractNames, report: ReportIssue): void {
  const fault = findAddressVariableFault(key, variable, names);
  if (fault === undefined) return;
  const allowed = "the variable in which clients of the service look for its address";
  report(["base", variable], `${variable} ${fault}`, allowed, "key");
}

/** Returns why a variable cannot hold the broker's address, as the end of a sentence that begins with its name. */
function findAddressVariableFault({ name }: DeclaredKey, variable: string, names: ContractNames): string | undefined {
  if (variable === name || names.isKey(variable)) return "is a brokered key";
  const aliasedVariable = names.variableWithAlias(variable);
  return aliasedVariable === undefined ? findAddressNameFault(variable) : `is another name of ${aliasedVariable}`;
}
