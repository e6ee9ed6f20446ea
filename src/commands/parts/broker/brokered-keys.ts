/** The keys of a run that are brokered, and where each of them goes; pure. Its texts contain no value. */
import type { ListenAddress } from "../../../broker/own-address.ts";
import { type KeyPlan, planKey, type PlanFault } from "../../../broker/key-plan.ts";
import type { PlanContext, SourcedValue } from "../../../broker/service-address.ts";
import { brokerEntryOf } from "../../../contract/broker/entry.ts";
import type { BrokerEntry } from "../../../contract/broker/broker-model.ts";
import { providerOf } from "../../../contract/broker/providers.ts";
import { isSet } from "../../../contract/check-contract.ts";
import type { Contract, Declaration } from "../../../contract/contract-model.ts";
import { keysSentTo } from "../../../trust/key-addresses.ts";
import type { Environment, Origin, Resolution, Resolved } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";
import { brokeredNames, replacedVariables } from "../../../resolve/outer-broker.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { type ExposedKey, exposedKeys, spelledAsKnown } from "./exposed-keys.ts";

export interface BrokeredKey extends KeyPlan {
  readonly declaration: Declaration;
  readonly value: string;
  /** The names besides its own under which the program would get the same value. */
  readonly aliases: readonly string[];
}

export interface KeyFault {
  readonly name: string;
  readonly fault: PlanFault | { readonly kind: "no-room" | "unprintable" };
}

export interface BrokerPlan {
  readonly keys: readonly BrokeredKey[];
  readonly faults: readonly KeyFault[];
  /** The keys that the program would get in clear: nothing starts. */
  readonly exposed: readonly ExposedKey[];
  /** The keys that it gets by `--broker-except`. */
  readonly excepted: readonly Pick<ExposedKey, "name" | "key">[];
  /** The keys that an outer sophia-run brokers. */
  readonly outer: readonly string[];
}

export interface PlanOptions {
  readonly isContractNamed: boolean;
  /** The caller has named the `.env` files. */
  readonly areFilesNamed: boolean;
  /** The origins of `--broker-to`. */
  readonly allowed: readonly string[];
  /** The names of `--broker-except`. */
  readonly except: readonly string[];
  /** The address on which the broker listens. */
  readonly address: ListenAddress;
}

/**
 * Plans which keys are brokered: those that the contract declares, with something built in or an entry of their own, and that
 * the program would get by value.
 *
 * @param environment the caller's @param dummyOf returns undefined if the declared format has no room for a dummy
 */
export function planBroker(
  start: Pick<Start, "files" | "values">,
  environment: Environment,
  options: PlanOptions,
  dummyOf: (declaration: Declaration) => string | undefined,
): BrokerPlan {
  const { isContractNamed, allowed } = options;
  const { contract } = start.files;
  const { selected } = start.values;
  const brokered = brokeredNames(environment);
  const outer = brokered.filter((name) => isSet(selected, name) && selected.get(name)?.origin.source === "environment");
  const isExcepted = nameMatcher(options.except, environment);
  const path = contract.source.kind === "file" ? contract.source.path : "the built-in contract";
  const replaced = replacedVariables(environment, contract);
  const surroundings: PlanContext = {
    valueOf: (name) => {
      const found = isSet(selected, name) ? selected.get(name) : undefined;
      // No gateway, but the address of the outer broker, which knows its dummies alone.
      if (found?.origin.source === "environment" && replaced.has(name)) return undefined;
      return found && { value: found.value, source: addressSource(found, options), ...placeOf(found, options) };
    },
    caller: CALLER,
    contract: { path, isNamed: isContractNamed },
    allowed,
  };
  const keys: BrokeredKey[] = [];
  const faults: KeyFault[] = [];
  const unprovided: { readonly name: string; readonly key: string }[] = [];
  for (const { declaration, entry, resolved } of candidates(start, environment)) {
    const { name } = declaration;
    if (outer.includes(name)) continue;
    const aliases = declaration.aliases.map((alias) => alias.name);
    if ([name, ...aliases].some(isExcepted)) {
      if (providerOf(name) === undefined) unprovided.push({ name, key: name });
      continue;
    }
    const { value } = resolved;
    const dummy = dummyOf(declaration);
    const key = { name, source: sourceOf(resolved.origin, options), entry, provider: providerOf(name) };
    const planned = dummy === undefined ? { kind: "no-room" as const } : planKey({ ...key, dummy }, surroundings);
    if ("kind" in planned) faults.push({ name, fault: planned });
    else if (!/^[\u0021-\u007e]+$/.test(value)) faults.push({ name, fault: { kind: "unprintable" } });
    else keys.push({ ...planned, base: withAliases(planned.base, contract, selected), declaration, value, aliases });
  }
  const exposures = exposedKeys(start, {
    handled: [...keys.map(({ route }) => route.name), ...faults.map(({ name }) => name)],
    outer: brokered,
    isContractNamed,
    isExcepted,
    foldsCase: environment.foldsCase,
  });
  return {
    keys,
    faults,
    exposed: exposures.filter(({ why }) => why !== "excepted"),
    excepted: [...unprovided, ...exposures.filter(({ why }) => why === "excepted")],
    outer,
  };
}

/** Returns a function that finds names in a list, on Windows in any case. */
export function nameMatcher(
  names: readonly string[],
  { foldsCase }: Pick<Environment, "foldsCase">,
): (name: string) => boolean {
  const folded = (name: string): string => (foldsCase === true ? name.toUpperCase() : name);
  const known = new Set(names.map(folded));
  return (name) => known.has(folded(name));
}

/** Adds the other names of addresses that are set: clients that read those must find the broker, too. */
function withAliases(
  base: KeyPlan["base"],
  { variables }: Pick<Contract, "variables">,
  selected: Resolution,
): KeyPlan["base"] {
  const aliases = Object.entries(base).flatMap(([name, path]) =>
    (variables.get(name)?.aliases ?? []).flatMap((alias) =>
      selected.has(alias.name) ? [[alias.name, path] as const] : [],
    ),
  );
  return { ...base, ...Object.fromEntries(aliases) };
}

export interface Candidate {
  readonly declaration: Declaration;
  readonly entry: BrokerEntry;
  readonly resolved: Resolved;
}

/** Returns the keys that can be brokered: those that the program would get by value. */
export function candidates(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Environment,
): readonly Candidate[] {
  return Array.from(contract.variables.values()).flatMap((written): readonly Candidate[] => {
    const declaration = spelledAsBuiltIn(written, environment);
    const entry = brokerEntryOf(declaration);
    const resolved = entry !== undefined && isSet(selected, declaration.name) && selected.get(declaration.name);
    // A dummy of --fake is worth nothing already. A file's content is not sent by a client as its key.
    if (entry === undefined || !resolved || resolved.origin.source === "fake" || resolved.delivery === "file")
      return [];
    return [{ declaration, entry, resolved }];
  });
}

/** Returns the declaration of a known key in the spelling that is known: on Windows a contract may have any. */
export function spelledAsBuiltIn(declaration: Declaration, { foldsCase }: Pick<Environment, "foldsCase">): Declaration {
  const name = spelledAsKnown(declaration.name, foldsCase);
  return name === declaration.name ? declaration : { ...declaration, name };
}

const CALLER = "the caller's environment";

/** Names the source of a value: two values of one source were written by the same people. */
function sourceOf(origin: Origin, { areFilesNamed }: PlanOptions): string {
  switch (origin.source) {
    case "environment":
      return origin.fromFile === true ? "files of an outer sophia-run" : CALLER;
    // The caller, or the system, has named the folder.
    case "secrets":
      return CALLER;
    case "override":
    case "dotenv":
      return areFilesNamed ? CALLER : `file ${origin.file}`;
    case "contract":
      return `file ${origin.file}`;
    case "esc":
    case "fake":
      return origin.source;
  }
}

/** The same for an address. A contract that was found may rename no other address to one. */
function addressSource({ name, origin }: Resolved, options: PlanOptions): string {
  const { alias } = origin;
  const keys = keysSentTo(name);
  const isSame = alias !== undefined && keys.length > 0 && keysSentTo(alias).join() === keys.join();
  return alias === undefined || isSame || options.isContractNamed ? sourceOf(origin, options) : "the contract's alias";
}

/** Says where an address stands, and whether the authors of the repository may have written it there. */
function placeOf(
  { origin }: Resolved,
  { areFilesNamed, isContractNamed }: PlanOptions,
): Pick<SourcedValue, "file" | "isEsc" | "isFound"> {
  const isRenamed = origin.alias !== undefined && !isContractNamed;
  switch (origin.source) {
    case "secrets":
      return { file: origin.file, isFound: isRenamed };
    case "override":
    case "dotenv":
      return { file: `${origin.file}:${origin.line}`, isFound: isRenamed || !areFilesNamed };
    case "contract":
      return { file: origin.file, isFound: !isContractNamed };
    case "environment":
      return { isFound: isRenamed || origin.fromFile === true };
    case "esc":
      return { file: originWords(origin), isEsc: true, isFound: isRenamed || origin.openedBy !== undefined };
    case "fake":
      return {};
  }
}
