/**
 * Plans which API keys the broker holds, and to which service it sends each key. The broker gives the program a dummy in place of
 * each key, and puts the real key into the program's requests. `run --broker` carries the plan out; `check --broker` and
 * `explain --broker` only report it.
 */
import type { ListenAddress } from "../../../broker/broker-listen.ts";
import { type KeyPlan, planKey, type PlanFault } from "../../../broker/key-plan.ts";
import type { PlanContext } from "../../../broker/service-address.ts";
import { compileBrokerEntry } from "../../../contract/broker/entry.ts";
import type { BrokerEntry } from "../../../contract/broker/broker-model.ts";
import { providerOf } from "../../../contract/broker/providers.ts";
import { isSet } from "../../../contract/check-contract.ts";
import type { Contract, Declaration } from "../../../contract/contract-model.ts";
import type { Environment, Resolution, ResolvedVariable } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";
import { readBrokeredNames, findReplacedVariables } from "../../../resolve/outer-broker.ts";
import { type ExposedKey, findExposedKeys, normalizeSpelling } from "./exposed-keys.ts";
import { CALLER_SOURCE, type NamedFiles, createSourcedAddress, sourceOf } from "./value-provenance.ts";

/** A key that the broker holds: the program gets `route.dummy` in its place. */
export interface BrokeredKey extends KeyPlan {
  readonly declaration: Declaration;
  /** The real key. */
  readonly value: string;
  /** The further names under which the program would get the same value. */
  readonly aliases: readonly string[];
}

/** A key that cannot be brokered, with the reason. */
export interface KeyFault {
  readonly name: string;
  /** `no-room`: the declared format allows no dummy. `unprintable`: a header cannot contain the value. */
  readonly fault: PlanFault | { readonly kind: "no-room" | "unprintable" };
}

/** The API keys among the variables of a program. If there are `faults` or `exposedKeys`, the program is not started. */
export interface BrokerPlan {
  /** The keys that the broker holds. */
  readonly keys: readonly BrokeredKey[];
  /** The keys that the broker should hold, but cannot. */
  readonly faults: readonly KeyFault[];
  /** The keys that the program would get in plain text, although the user has not allowed it. */
  readonly exposedKeys: readonly ExposedKey[];
  /** The keys that the program gets in plain text because the user allowed it (`--broker-except`). */
  readonly exceptedKeys: readonly Pick<ExposedKey, "name" | "key">[];
  /** The names of the keys that an outer sophia-run brokers, so that their values here are dummies already. */
  readonly outerKeyNames: readonly string[];
}

export interface BrokerPlanOptions extends NamedFiles {
  /** The origins of `--broker-to`. */
  readonly allowedOrigins: readonly string[];
  /** The names of `--broker-except`. */
  readonly exceptedNames: readonly string[];
  /** The address on which the broker listens. */
  readonly listenAddress: ListenAddress;
}

/** The characters that a header field may contain (RFC 9110, section 5.5), but without the space, which no key contains. */
const VISIBLE_ASCII = /^[\u0021-\u007e]+$/;

/**
 * Plans the keys of a start. A key is a variable that belongs to a known service, or that the contract declares with a `broker`
 * entry.
 *
 * @param environment the caller's environment
 * @param dummyOf returns the dummy for a key; undefined if the declared format has no room for one
 */
export function planBroker(
  start: Pick<Start, "files" | "values">,
  environment: Environment,
  options: BrokerPlanOptions,
  dummyOf: (declaration: Declaration) => string | undefined,
): BrokerPlan {
  const namesBrokeredByOuter = readBrokeredNames(environment);
  const outerKeyNames = findOuterKeys(namesBrokeredByOuter, start.values.selected);
  const isExcepted = createNameMatcher(options.exceptedNames, environment);
  const brokerableKeys = findBrokerableKeys(start, environment).filter(
    ({ declaration }) => !outerKeyNames.includes(declaration.name),
  );
  const isExceptedKey = ({ declaration }: BrokerableKey): boolean => namesOf(declaration).some(isExcepted);
  const keysToBroker = brokerableKeys.filter((key) => !isExceptedKey(key));
  const planContext = createPlanContext(start, environment, options);
  const keyPlans = keysToBroker.map((key) => planBrokerableKey(key, dummyOf(key.declaration), options, planContext));
  const { keys, faults } = separateFaults(keyPlans, start);

  // The program would get these keys in plain text. The user may have allowed that for some of them (`--broker-except`).
  const exposures = findExposedKeys(start, {
    plannedKeyNames: [...keys.map(({ route }) => route.name), ...faults.map(({ name }) => name)],
    namesBrokeredByOuter,
    isContractNamed: options.isContractNamed,
    isExcepted,
    foldsCase: environment.foldsCase,
  });
  // `findExposedKeys` only finds the keys of services that sophia-run knows.
  const exceptedKeysOfOtherServices = brokerableKeys
    .filter((key) => isExceptedKey(key) && providerOf(key.declaration.name) === undefined)
    .map(({ declaration: { name } }) => ({ name, key: name }));
  return {
    keys,
    faults,
    exposedKeys: exposures.filter(({ why }) => why !== "excepted"),
    exceptedKeys: [...exceptedKeysOfOtherServices, ...exposures.filter(({ why }) => why === "excepted")],
    outerKeyNames,
  };
}

/** Finds the names whose values are dummies of an outer sophia-run. Another source may have set such a variable again. */
function findOuterKeys(namesBrokeredByOuter: readonly string[], selected: Resolution): readonly string[] {
  return namesBrokeredByOuter.filter(
    (name) => isSet(selected, name) && selected.get(name)?.origin.source === "environment",
  );
}

/** Separates the keys that the broker can hold from those that it cannot hold. */
function separateFaults(
  keyPlans: readonly (BrokeredKey | KeyFault)[],
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
): Pick<BrokerPlan, "keys" | "faults"> {
  const keys: BrokeredKey[] = [];
  const faults: KeyFault[] = [];
  for (const keyPlan of keyPlans) {
    if ("fault" in keyPlan) faults.push(keyPlan);
    else keys.push({ ...keyPlan, addressPaths: addAliasVariables(keyPlan.addressPaths, contract, selected) });
  }
  return { keys, faults };
}

/** Returns what `planKey` needs to know about the start: the values of address variables, and whom the user trusts. */
function createPlanContext(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Environment,
  options: BrokerPlanOptions,
): PlanContext {
  const replacedByOuter = findReplacedVariables(environment, contract);
  const path = contract.source.kind === "file" ? contract.source.path : "the built-in contract";
  return {
    valueOf: (name) => {
      const resolved = isSet(selected, name) ? selected.get(name) : undefined;
      if (resolved === undefined) return undefined;
      // The value is the address of the outer broker, which only knows its own dummies. It is not the address of a gateway.
      if (resolved.origin.source === "environment" && replacedByOuter.has(name)) return undefined;
      return createSourcedAddress(resolved, options);
    },
    callerSource: CALLER_SOURCE,
    contract: { path, isNamed: options.isContractNamed },
    allowedOrigins: options.allowedOrigins,
  };
}

/** @param dummy the dummy for the key; undefined if its format has no room for one */
function planBrokerableKey(
  { declaration, entry, resolved }: BrokerableKey,
  dummy: string | undefined,
  options: BrokerPlanOptions,
  planContext: PlanContext,
): BrokeredKey | KeyFault {
  const { name } = declaration;
  if (dummy === undefined) return { name, fault: { kind: "no-room" } };
  const source = sourceOf(resolved.origin, options);
  const plan = planKey({ name, source, dummy, entry, provider: providerOf(name) }, planContext);
  if ("kind" in plan) return { name, fault: plan };
  const { value } = resolved;
  if (!VISIBLE_ASCII.test(value)) return { name, fault: { kind: "unprintable" } };
  return { ...plan, declaration, value, aliases: declaration.aliases.map((alias) => alias.name) };
}

function namesOf({ name, aliases }: Declaration): readonly string[] {
  return [name, ...aliases.map((alias) => alias.name)];
}

/** Returns a function that returns true for the names in a list. On Windows the function ignores case. */
export function createNameMatcher(
  names: readonly string[],
  { foldsCase }: Pick<Environment, "foldsCase">,
): (name: string) => boolean {
  const fold = (name: string): string => (foldsCase === true ? name.toUpperCase() : name);
  const foldedNames = new Set(names.map(fold));
  return (name) => foldedNames.has(fold(name));
}

/**
 * Adds the aliases that are set to the variables in which the program gets the broker's address, because a client that reads an
 * alias must also find the broker.
 */
function addAliasVariables(
  pathsByVariable: KeyPlan["addressPaths"],
  { variables }: Pick<Contract, "variables">,
  selected: Resolution,
): KeyPlan["addressPaths"] {
  const pathsByAlias = Object.entries(pathsByVariable).flatMap(([name, path]) => {
    const setAliases = (variables.get(name)?.aliases ?? []).filter((alias) => selected.has(alias.name));
    return setAliases.map((alias) => [alias.name, path] as const);
  });
  return { ...pathsByVariable, ...Object.fromEntries(pathsByAlias) };
}

/** A declared key that is set and that the broker can hold. */
export interface BrokerableKey {
  readonly declaration: Declaration;
  readonly entry: BrokerEntry;
  readonly resolved: ResolvedVariable;
}

/** Returns the keys that the broker can hold: those that the program would get by value, not as a file. */
export function findBrokerableKeys(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Environment,
): readonly BrokerableKey[] {
  return Array.from(contract.variables.values()).flatMap((contractDeclaration): readonly BrokerableKey[] => {
    const declaration = normalizeKeyName(contractDeclaration, environment);
    const entry = compileBrokerEntry(declaration);
    const resolved = isSet(selected, declaration.name) ? selected.get(declaration.name) : undefined;
    if (entry === undefined || resolved === undefined) return [];
    // A dummy of `--fake` needs no protection.
    if (resolved.origin.source === "fake") return [];
    // A client does not send the content of a file as its key.
    if (resolved.delivery === "file") return [];
    return [{ declaration, entry, resolved }];
  });
}

/** Returns a declaration with the name of a known service's key in its usual case. On Windows a contract may use any case. */
export function normalizeKeyName(declaration: Declaration, { foldsCase }: Pick<Environment, "foldsCase">): Declaration {
  const name = normalizeSpelling(declaration.name, foldsCase);
  return name === declaration.name ? declaration : { ...declaration, name };
}
