/** Checks the `broker` member of one variable beyond the schema; pure. */
import { enumerate } from "../../core/text.ts";
import { parseUrl } from "../../core/url.ts";
import { addressName, baseOf, brokerEntryOf, variableIn } from "../broker/entry.ts";
import { type BrokerEntry, isReserved, slotOf } from "../broker/broker-model.ts";
import {
  baseNameFault,
  type FormFault,
  originFault,
  pathFault,
  ruleFault,
  ruleHostFault,
} from "../broker/key-faults.ts";
import { sitesOf } from "../broker/github-keys.ts";
import { GITHUB_TOKENS, providerOf } from "../broker/providers.ts";
import type { BrokerMember, VariableEntry } from "../generated/document.ts";
import { isSecret, listOf } from "./compile.ts";
import type { Path } from "./positions.ts";

export interface BrokerProblem {
  readonly variable: string;
  /** Below the variable's entry. */
  readonly path: Path;
  readonly message: string;
  readonly allowed: string;
  readonly atKey: boolean;
}

/** A variable that is brokered. */
export interface BrokeredKey {
  readonly name: string;
  readonly declared: VariableEntry;
  /** Absent if the name is built in, and the contract has no `broker` for it. */
  readonly member: BrokerMember | undefined;
  readonly entry: BrokerEntry;
  /** The variables that the program gets; case does not matter, as on Windows. */
  readonly addresses: readonly { readonly variable: string; readonly folded: string }[];
}

/** Compiles the entry of a variable. @returns undefined if it is not brokered */
export function brokeredKey(name: string, declared: VariableEntry): BrokeredKey | undefined {
  const { broker } = declared;
  // Without the rules, of which there may be many: they decide nothing here.
  const { allow: _allow, deny: _deny, ...short } = typeof broker === "object" ? broker : {};
  const shorter = typeof broker === "object" ? { broker: short } : {};
  const entry = brokerEntryOf({ ...declared, ...shorter, name, secret: isSecret(declared) });
  if (entry === undefined) return undefined;
  const addresses = Object.keys(baseOf(name, entry)).map((one) => ({ variable: one, folded: one.toUpperCase() }));
  return { name, declared, member: broker, entry, addresses };
}

/** The other names of the contract. */
export interface KnownNames {
  readonly isDeclared: (name: string) => boolean;
  readonly isKey: (name: string) => boolean;
  /** Returns the variable of an alias. */
  readonly ownerOf: (alias: string) => string | undefined;
}

/** Returns the problems of a key's `broker`. @param areRulesNew is false for a member whose rules were checked already */
export function examineKey(key: BrokeredKey, names: KnownNames, areRulesNew: boolean): readonly BrokerProblem[] {
  const problems: BrokerProblem[] = [];
  const report: Report = (path, message, allowed, atKey = false) => {
    problems.push({ variable: key.name, path: ["broker", ...path], message, allowed, atKey });
  };
  examineFormat(key, report);
  examineMissing(key, report);
  examineUpstream(key, names, report);
  examineHeaders(key, report);
  examineSsh(key, report);
  // The built-in names are sound.
  Object.entries(key.entry.base ?? {}).forEach(([variable, path]) => {
    examineBaseName(key, variable, names, report);
    reportFault(["base", variable], pathFault(path), report);
  });
  if (typeof key.member !== "object") return problems;
  const { base, prefix = "", allow = [], deny = [], limit } = key.member;
  if (base !== undefined && Object.keys(base).length === 0) {
    report(["base"], "the program does not get the address of the broker", "at least one variable");
  }
  if (limit !== undefined && Object.keys(limit).length === 0) {
    report(["limit"], "the limit has no number", `"perMinute", "total" or both, such as { "perMinute": 60 }`);
  }
  reportFault(["prefix"], pathFault(prefix), report);
  if (!areRulesNew) return problems;
  const hosts = hostsOf(key);
  const faultOf = (rule: string): FormFault | undefined => ruleFault(rule) ?? ruleHostFault(rule, hosts);
  allow.forEach((rule, index) => reportFault(["allow", index], faultOf(rule), report));
  deny.forEach((rule, index) => reportFault(["deny", index], faultOf(rule), report));
  return problems;
}

/** Returns the hosts that a rule may name. A variable, or a gateway of the caller, may have another one. */
function hostsOf({ name, entry: { upstream } }: BrokeredKey): readonly string[] {
  const provider = providerOf(name);
  const written = upstream === undefined || variableIn(upstream) !== undefined ? provider?.origin : upstream;
  const own = written === undefined ? undefined : parseUrl(written)?.host;
  const several = provider?.isGithub === true ? sitesOf(provider.origin ?? "").map(({ host }) => host) : [];
  return [...new Set([...several, ...listOf(own)])];
}

function examineSsh({ name, member }: BrokeredKey, report: Report): void {
  if (typeof member !== "object" || member.ssh === undefined || providerOf(name)?.isGithub === true) return;
  report(["ssh"], "git has no use for this key", `"ssh" only for GitHub tokens: ${GITHUB_TOKENS.join(", ")}`);
}

type Report = (path: Path, message: string, allowed: string, atKey?: boolean) => void;

function reportFault(path: Path, fault: readonly [string, string] | undefined, report: Report): void {
  if (fault !== undefined) report(path, ...fault);
}

/** A dummy is text with 32 random letters and digits. */
function examineFormat({ declared: { format } }: BrokeredKey, report: Report): void {
  const type = typeof format === "object" ? format.type : (format ?? "text");
  if (["text", "base64", "integer", "number"].includes(type)) return;
  report([], `a dummy key cannot have the format ${type}`, `no "format", or one of text; or "broker": false`);
}

function examineMissing({ name, member, declared, entry }: BrokeredKey, report: Report): void {
  if (providerOf(name) !== undefined) return;
  const missing: readonly (readonly [member: string, example: string])[] = [
    ...(entry.upstream === undefined ? [[`"upstream"`, `"https://HOST"`] as const] : []),
    ...(entry.slots === undefined ? [[`"headers"`, `["Authorization: Bearer"]`] as const] : []),
    ...(entry.base === undefined ? [[`"base"`, `{ "${addressName(name)}": "" }`] as const] : []),
  ];
  if (missing.length === 0) return;
  const names = enumerate(missing.map(([one]) => one));
  if (member === true) {
    const probe = declared.probe === undefined ? "it has no probe" : "its probe has the key in no header";
    report([], `nothing is built in for ${name}, and ${probe}`, `an object with ${names}`);
  } else {
    const are = missing.length === 1 ? "is" : "are";
    const examples = missing.map((pair) => pair.join(": ")).join(", ");
    report([], `${names} ${are} missing: nothing is built in for ${name}`, `such as ${examples}`);
  }
}

function examineUpstream({ name, member, entry }: BrokeredKey, names: KnownNames, report: Report): void {
  const { upstream } = entry;
  // The probe's own was checked with it.
  if (upstream === undefined || typeof member !== "object" || member.upstream === undefined) return;
  const variable = variableIn(upstream);
  if (variable === undefined) reportFault(["upstream"], originFault(upstream), report);
  else if (!names.isDeclared(variable)) {
    report(["upstream"], "the upstream is a variable that is not declared", `a name declared under "variables"`);
  } else if (variable === name || names.isKey(variable)) {
    report(["upstream"], "the upstream is a key, not an address", "the variable that holds the address");
  }
}

function examineHeaders({ member }: BrokeredKey, report: Report): void {
  if (typeof member !== "object") return;
  const seen = new Set<string>();
  member.headers?.forEach((header, index) => {
    const folded = header.toLowerCase();
    if (seen.has(folded)) report(["headers", index], "duplicate header", "each header once");
    seen.add(folded);
    if (!isReserved(slotOf(header).header)) return;
    report(["headers", index], "a key cannot stand in this header", `such as "Authorization: Bearer", or "api-key"`);
  });
}

function examineBaseName({ name }: BrokeredKey, variable: string, names: KnownNames, report: Report): void {
  const owner = names.ownerOf(variable);
  const what =
    variable === name || names.isKey(variable)
      ? "is a brokered key"
      : owner === undefined
        ? baseNameFault(variable)
        : `is another name of ${owner}`;
  if (what === undefined) return;
  const allowed = "the variable in which clients of the service look for its address";
  report(["base", variable], `${variable} ${what}`, allowed, true);
}
