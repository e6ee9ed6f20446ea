/**
 * Variables by which a file of a repository would run code, or have the user's secrets sent elsewhere. Pure. Loaded only if a
 * name of a file suggests one.
 */
import { declarationOf } from "../contract/check-contract.ts";
import { looksSecret } from "../contract/looks-secret.ts";
import type { Contract } from "../contract/contract-model.ts";
import { runsCode } from "../trust/code-values.ts";
import { isHarmlessAddress, isKeyAddress, keysSentTo, prefixByForm, prefixesOfKey } from "../trust/key-addresses.ts";
import type { Layer, Origin, Variable } from "../core/model.ts";
import { decidesNetwork, mayDecideNetwork } from "../trust/network-variables.ts";
import { FROM_FILES, isTrustedOrigin } from "../esc/settings/from-files.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";

export interface Trust {
  readonly isFound: (file: string) => boolean;
  readonly isContractNamed: boolean;
  readonly contract: Contract;
  readonly isAllowed: (name: string) => boolean;
  readonly isDeclared: (name: string) => boolean;
  readonly keepEsc: boolean;
}

/** The harm that a variable of a file would do without the caller's consent. */
export type Risk =
  /** It makes other programs run code. */
  | "runs-code"
  /** It decides through whom programs connect, or whom they trust. */
  | "network"
  /** It sends a key of another source elsewhere. */
  | "redirects-key";

export interface Risks {
  readonly byName: ReadonlyMap<string, ReadonlyMap<Origin, Risk>>;
  /** Variables that are passed on, which a nested sophia-run must not take for the caller's. */
  readonly marked: readonly string[];
}

/** The user's agent for SSH is reached by no client of http. */
const NO_SECRETS: ReadonlySet<string> = new Set([FROM_FILES, ADMIN_TOKEN, "SSH_AUTH_SOCK"]);

/** @param layers highest precedence first, with the names of aliases */
export function risksIn(layers: readonly Layer[], trust: Trust): Risks {
  const { isAllowed, isDeclared } = trust;
  const byName = new Map<string, Map<Origin, Risk>>();
  const marked = new Set<string>();
  const variables = layers.flatMap((layer) => layer.variables);
  const holders = new Map<string, Variable>();
  for (const variable of variables) {
    if (variable.value !== "" && !holders.has(variable.name)) holders.set(variable.name, variable);
  }
  const secrets = once(() => [...holders.values()].filter((variable) => isSecret(variable, trust)));
  // One for each source: a proxy has many spellings, and a file may have all of them beside as many secrets.
  const secretOfEachSource = once(() => [
    ...new Map(secrets().map((secret) => [sourceKey(secret.origin), secret])).values(),
  ]);
  let passesNetwork = false;
  const keysByPrefix = once(() => groupedByPrefix([...holders.keys()]));

  for (const variable of variables) {
    const { name, value, origin, delivery } = variable;
    if (isTrustedOrigin(origin)) continue;
    const withhold = (risk: Risk): void => {
      byName.set(name, (byName.get(name) ?? new Map<Origin, Risk>()).set(origin, risk));
    };
    const mark = (others: readonly string[]): void => {
      if (isAllowed(name)) return;
      marked.add(name);
      for (const other of others) marked.add(other);
    };
    // The program gets the path of a private file, which is never one of the harmless values.
    const given = delivery === "file" ? "./file" : value;
    if (isOfFound(origin, trust) && runsCode(name, given)) {
      if (!isDeclared(name)) withhold("runs-code");
      continue;
    }
    // A contract that was found may use as an address only another name of the same address.
    const isPair = trust.isContractNamed || origin.alias === undefined || isSameAddress(name, origin.alias);
    if (isTrusted(origin, trust, isPair)) continue;
    const isOther = (key: Variable | undefined): boolean =>
      key !== undefined && !isOneSource(key.origin, origin, isPair);
    if (mayDecideNetwork(name)) {
      if (!decidesNetwork(name, given)) continue;
      const endangered = secretOfEachSource();
      if (endangered.length === 0 || endangered.some(isOther)) withhold("network");
      else if (!isAllowed(name)) {
        marked.add(name);
        passesNetwork = true;
      }
    } else if (isKeyAddress(name)) {
      const keys = keysSentTo(name);
      mark(keys);
      if (isHarmlessAddress(name, value)) continue;
      const held = keys.flatMap((key) => holders.get(key) ?? []);
      // Without a key here the client may have one in a file of its own.
      if (held.length === 0 || held.some(isOther)) withhold("redirects-key");
    } else {
      const prefix = prefixByForm(name, value);
      if (prefix === undefined) continue;
      const keys = keysByPrefix().get(prefix) ?? [];
      mark(keys);
      if (!isDeclared(name) && keys.some((key) => isOther(holders.get(key)))) withhold("redirects-key");
    }
  }
  if (passesNetwork) for (const { name } of secrets()) marked.add(name);
  return { byName, marked: [...marked] };
}

/** Returns a text that is the same for all origins that `isOneSource` does not tell apart as those of keys. */
function sourceKey(origin: Origin): string {
  const isOfFile = origin.source === "environment" && origin.fromFile === true;
  return `${origin.source} ${isOfFile} ${"file" in origin ? origin.file : ""}`;
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Not by `grouped`, which is in another file of the bundle: a start with such a name would load both. */
function groupedByPrefix(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const name of names) {
    for (const prefix of prefixesOfKey(name)) {
      const sharing = keys.get(prefix);
      if (sharing === undefined) keys.set(prefix, [name]);
      else sharing.push(name);
    }
  }
  return keys;
}

/** Returns true for a secret that the program may send: the contract decides, else ESC, else the name and the value. */
function isSecret({ name, value, secret, origin }: Variable, { contract, keepEsc }: Trust): boolean {
  if (NO_SECRETS.has(name) || mayDecideNetwork(name) || (!keepEsc && WITHHELD_VARIABLES.includes(name))) return false;
  const isOfEsc = origin.source === "esc" && secret;
  return isOfEsc || (declarationOf(contract, name)?.secret ?? looksSecret(name, value));
}

function isOfFound(origin: Origin, { isFound }: Trust): boolean {
  return origin.source === "esc" ? origin.openedBy !== undefined : "file" in origin && isFound(origin.file);
}

function isSameAddress(name: string, alias: string): boolean {
  return isKeyAddress(alias) && keysSentTo(alias).join() === keysSentTo(name).join();
}

function isTrusted(origin: Origin, { isFound, isContractNamed }: Trust, isPair: boolean): boolean {
  switch (origin.source) {
    case "secrets":
      return isPair;
    case "override":
    case "dotenv":
      return isPair && !isFound(origin.file);
    case "contract":
      return isContractNamed;
    case "environment":
      return isPair && origin.fromFile !== true;
    case "esc":
      return isPair && origin.openedBy === undefined;
    case "fake":
      return isPair;
  }
}

/**
 * Returns true for two origins in one file, or in what its credential has opened. The reverse does not hold: a file that only
 * names the user's token does not know the keys in ESC. An outer sophia-run has compared the origins that it marked.
 */
function isOneSource(key: Origin, address: Origin, isPair: boolean): boolean {
  if (key.source === "environment" && address.source === "environment") {
    return key.fromFile === true && address.fromFile === true;
  }
  if (address.source === "esc" && address.openedBy !== undefined) {
    return key.source === "esc" ? isPair : "file" in key && key.file === address.openedBy;
  }
  return "file" in key && "file" in address && key.file === address.file;
}
