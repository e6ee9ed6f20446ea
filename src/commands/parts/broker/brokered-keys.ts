/**
 * Plans which API keys of a start the broker holds, and where it sends each of them; pure. `run --broker` carries the plan
 * out; `check --broker` and `explain --broker` only report it. Texts in the plan contain no value.
 */
import type { ListenAddress } from "../../../broker/own-address.ts";
import { type KeyPlan, planKey, type PlanFault } from "../../../broker/key-plan.ts";
import type { PlanContext } from "../../../broker/service-address.ts";
import { brokerEntryOf } from "../../../contract/broker/entry.ts";
import type { BrokerEntry } from "../../../contract/broker/broker-model.ts";
import { providerOf } from "../../../contract/broker/providers.ts";
import { isSet } from "../../../contract/check-contract.ts";
import type { Contract, Declaration } from "../../../contract/contract-model.ts";
import type { Environment, Resolution, Resolved } from "../../../core/model.ts";
import type { Start } from "../../../resolve/start.ts";
import { brokeredNames, replacedVariables } from "../../../resolve/outer-broker.ts";
import { type ExposedKey, exposedKeys, knownSpellingOf } from "./exposed-keys.ts";
import { CALLER, type NamedFiles, sourcedAddress, sourceOf } from "./value-provenance.ts";

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
  /** `no-room`: the declared format allows no dummy. `unprintable`: the value cannot stand in a header. */
  readonly fault: PlanFault | { readonly kind: "no-room" | "unprintable" };
}

/** The keys of a start, by what the broker would do with them. If there are `faults` or `exposed` keys, nothing starts. */
export interface BrokerPlan {
  readonly keys: readonly BrokeredKey[];
  readonly faults: readonly KeyFault[];
  /** The keys that the program would get in plain text against the user's intention. */
  readonly exposed: readonly ExposedKey[];
  /** The keys that the program gets in plain text because the user allowed it (`--broker-except`). */
  readonly excepted: readonly Pick<ExposedKey, "name" | "key">[];
  /** The names of the keys that an outer sophia-run brokers: their values are that broker's dummies. */
  readonly outer: readonly string[];
}

export interface BrokerPlanOptions extends NamedFiles {
  /** The origins of `--broker-to`. */
  readonly allowedOrigins: readonly string[];
  /** The names of `--broker-except`. */
  readonly exceptedNames: readonly string[];
  /** The address on which the broker listens. */
  readonly listenAddress: ListenAddress;
}

/** A header field can have these characters only (RFC 9110, section 5.5); a key never contains a space. */
const VISIBLE_ASCII = /^[\u0021-\u007e]+$/;

/**
 * Plans the keys of a start: those that the program would get by value, and that the contract declares with a `broker` entry
 * or that belong to a known service.
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
  const { contract } = start.files;
  const { selected } = start.values;
  const outerNames = brokeredNames(environment);
  const outer = outerNames.filter(
    (name) => isSet(selected, name) && selected.get(name)?.origin.source === "environment",
  );
  const isExcepted = createNameMatcher(options.exceptedNames, environment);
  const planContext = createPlanContext(start, environment, options);
  const keys: BrokeredKey[] = [];
  const faults: KeyFault[] = [];
  // `exposedKeys` finds the excepted keys of known services. These are the excepted keys of other services.
  const exceptedOthers: { readonly name: string; readonly key: string }[] = [];
  for (const brokerable of findBrokerableKeys(start, environment)) {
    const { name } = brokerable.declaration;
    if (outer.includes(name)) continue;
    if (namesOf(brokerable.declaration).some(isExcepted)) {
      if (providerOf(name) === undefined) exceptedOthers.push({ name, key: name });
      continue;
    }
    const planned = planBrokerableKey(brokerable, dummyOf(brokerable.declaration), options, planContext);
    if ("fault" in planned) faults.push(planned);
    else keys.push({ ...planned, base: addAliasVariables(planned.base, contract, selected) });
  }
  const exposures = exposedKeys(start, {
    handled: [...keys.map(({ route }) => route.name), ...faults.map(({ name }) => name)],
    outer: outerNames,
    isContractNamed: options.isContractNamed,
    isExcepted,
    foldsCase: environment.foldsCase,
  });
  return {
    keys,
    faults,
    exposed: exposures.filter(({ why }) => why !== "excepted"),
    excepted: [...exceptedOthers, ...exposures.filter(({ why }) => why === "excepted")],
    outer,
  };
}

function createPlanContext(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Environment,
  options: BrokerPlanOptions,
): PlanContext {
  const replacedByOuter = replacedVariables(environment, contract);
  const path = contract.source.kind === "file" ? contract.source.path : "the built-in contract";
  return {
    valueOf: (name) => {
      const resolved = isSet(selected, name) ? selected.get(name) : undefined;
      if (resolved === undefined) return undefined;
      // The value is the address of the outer broker, which only knows its own dummies. It is not the address of a gateway.
      if (resolved.origin.source === "environment" && replacedByOuter.has(name)) return undefined;
      return sourcedAddress(resolved, options);
    },
    caller: CALLER,
    contract: { path, isNamed: options.isContractNamed },
    allowed: options.allowedOrigins,
  };
}

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

/** Returns a function that tells whether a name is in the list. On Windows the function ignores case. */
export function createNameMatcher(
  names: readonly string[],
  { foldsCase }: Pick<Environment, "foldsCase">,
): (name: string) => boolean {
  const fold = (name: string): string => (foldsCase === true ? name.toUpperCase() : name);
  const foldedNames = new Set(names.map(fold));
  return (name) => foldedNames.has(fold(name));
}

/**
 * Adds the aliases of the address variables that are set. The broker's address replaces these, too, because a client that
 * reads the alias must also find the broker.
 */
function addAliasVariables(
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

/** A declared key that is set and that the broker can hold. */
export interface BrokerableKey {
  readonly declaration: Declaration;
  readonly entry: BrokerEntry;
  readonly resolved: Resolved;
}

/** Returns the keys that can be brokered: those that the program would get by value. */
export function findBrokerableKeys(
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Environment,
): readonly BrokerableKey[] {
  return Array.from(contract.variables.values()).flatMap((written): readonly BrokerableKey[] => {
    const declaration = withKnownSpelling(written, environment);
    const entry = brokerEntryOf(declaration);
    const resolved = isSet(selected, declaration.name) ? selected.get(declaration.name) : undefined;
    if (entry === undefined || resolved === undefined) return [];
    // A dummy of `--fake` needs no protection.
    if (resolved.origin.source === "fake") return [];
    // A client does not send the content of a file as its key.
    if (resolved.delivery === "file") return [];
    return [{ declaration, entry, resolved }];
  });
}

/** Returns a declaration with its name in the spelling of the known service: on Windows a contract may use any case. */
export function withKnownSpelling(
  declaration: Declaration,
  { foldsCase }: Pick<Environment, "foldsCase">,
): Declaration {
  const name = knownSpellingOf(declaration.name, foldsCase);
  return name === declaration.name ? declaration : { ...declaration, name };
}
