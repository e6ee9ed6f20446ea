/**
 * Reports which API keys `run --broker` would hold for the program, and to which service it would send each key. `check --broker`
 * and `explain --broker` print the report, as text or as JSON. It contains no values, and creating it starts no broker.
 */
import { createDummy } from "../../../broker/dummy.ts";
import { SOCKET_VARIABLE } from "../../../broker/broker-variables.ts";
import { originsOf } from "../../../broker/route.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { RequestLimit } from "../../../contract/broker/broker-model.ts";
import { providerOf } from "../../../contract/broker/providers.ts";
import { isSet } from "../../../contract/check-contract.ts";
import type { Environment, Resolution, ResolvedVariable } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { maskabilityOf } from "../../../masking/texts.ts";
import type { Start } from "../../../resolve/start.ts";
import { originWords } from "../../../resolve/source-words.ts";
import type { ExposureReason } from "./exposed-keys.ts";
import { EXPOSURE_REASONS, describeRemedies, describeKeyFault } from "./describe-key-faults.ts";
import { type BrokeredKey, type BrokerPlan, planBroker, normalizeKeyName } from "./brokered-keys.ts";
import { parseBrokerPlanOptions } from "./broker-options.ts";

export interface BrokerReport {
  /** The keys that the broker would hold. */
  readonly keys: readonly KeyReport[];
  /** The reasons why the program would not be started. */
  readonly failures: readonly KeyFailure[];
  /** The names of the keys that an outer sophia-run brokers. This sophia-run passes the dummies of the outer one on. */
  readonly outer: readonly string[];
  /** The other secrets, which the program would get in plain text. */
  readonly others: readonly { readonly name: string; readonly why: UnbrokeredReason }[];
}

/** A key that the broker would hold. */
export interface KeyReport {
  readonly name: string;
  /** The URL origin to which the broker would send the key, such as `https://api.example.com`. */
  readonly origin: string;
  /** The further URL origins of a service that has several. */
  readonly furtherOrigins?: readonly string[];
  /** The path in the address of a gateway; empty without a gateway. */
  readonly path: string;
  /** The variables in which the program would get the address of the broker. */
  readonly variables: readonly string[];
  /** The reason why the origin is trusted. */
  readonly by: BrokeredKey["trustReason"];
  /** Describes that reason to the user. */
  readonly byWords: string;
  /** The allowed paths. If this list is empty, all paths are allowed that `deny` does not match. */
  readonly allow: readonly string[];
  /** The forbidden paths. */
  readonly deny: readonly string[];
  readonly limit?: RequestLimit;
  /** Further variables of the program whose values contain the key. */
  readonly copies: readonly string[];
}

export interface KeyFailure {
  readonly name: string;
  /** `broker-untrusted`: the origin is not trusted. `broker-clear`: the program would get the key in plain text. */
  readonly code: "broker" | "broker-untrusted" | "broker-clear";
  /** The reason why the program would get the key in plain text; absent for other failures. */
  readonly why?: ExposureReason;
  readonly problem: string;
  readonly remedy: string;
}

/** The reason why the broker would not hold a secret. {@link UNBROKERED_REASON_TEXTS} explains each of them. */
export type UnbrokeredReason = "contract" | "file" | "fake" | "unknown" | "excepted";

/** The reasons in the words of the report. */
export const UNBROKERED_REASON_TEXTS: Readonly<Record<UnbrokeredReason, string>> = {
  contract: "the contract says so",
  file: "passed as a file",
  fake: "a dummy value of --fake",
  excepted: "--broker-except",
  unknown: "no service is known",
};

/** Creates the report of a start. @throws SophiaError (settings, 125) for an invalid option */
export function reportBroker(start: Start, settings: Settings, environment: Environment): BrokerReport {
  const options = parseBrokerPlanOptions(settings);
  const plan = planBroker(start, environment, options, createDummy);
  const { keys, faults, exposedKeys, outerKeyNames } = plan;
  const exposedFailures = exposedKeys.map((key): KeyFailure => ({
    name: printable(key.name),
    code: "broker-clear",
    why: key.why,
    problem: `the program would get its value (${EXPOSURE_REASONS[key.why]})`,
    remedy: describeRemedies([key], start.files.contract.source).join(" "),
  }));
  return {
    keys: keys.map((key) => reportKey(key, keys, start, { isBrokerOnSocket: "path" in options.listenAddress })),
    failures: [
      ...faults.map((fault) => ({ name: printable(fault.name), ...describeKeyFault(fault) })),
      ...exposedFailures,
    ],
    outer: outerKeyNames.map(printable),
    others: findUnbrokeredSecrets(plan, start, environment),
  };
}

/** @param keys all brokered keys @param options.isBrokerOnSocket true if the broker listens on a Unix socket */
function reportKey(
  key: BrokeredKey,
  keys: readonly BrokeredKey[],
  start: Start,
  options: { readonly isBrokerOnSocket: boolean },
): KeyReport {
  const { route, addressPaths: pathsByAddressVariable, trustReason } = key;
  const [, ...furtherOrigins] = originsOf(route);
  return {
    name: printable(route.name),
    origin: printable(route.origin),
    ...(furtherOrigins.length > 0 && { furtherOrigins: furtherOrigins.map(printable) }),
    path: printable(route.path),
    variables: options.isBrokerOnSocket ? [SOCKET_VARIABLE] : Object.keys(pathsByAddressVariable).map(printable),
    by: trustReason,
    byWords: describeTrust(key, start),
    allow: route.allow.map(({ text }) => printable(text)),
    deny: route.deny.map(({ text }) => printable(text)),
    ...(route.limit !== undefined && { limit: route.limit }),
    copies: findKeyCopies(key, keys, start.values.selected),
  };
}

/** Describes why the origin of a key is trusted, and so who has chosen it: `by OPENAI_BASE_URL of the caller's environment`. */
function describeTrust(
  { trustReason, variable }: BrokeredKey,
  { files: { contract }, values: { selected } }: Start,
): string {
  const origin = variable === undefined ? undefined : selected.get(variable)?.origin;
  const name = printable(variable ?? "");
  const place = origin === undefined ? "" : `${name} of ${originWords(origin)}`;
  switch (trustReason) {
    case "built-in":
      return "built in";
    case "caller":
      // The value may come from a file that the caller has named.
      return origin?.source === "environment" ? `by ${name} of the caller's environment` : `by ${place}`;
    case "source":
      return `by ${place}, like the key`;
    case "contract": {
      const file = contract.source.kind === "file" ? printable(contract.source.path) : "the built-in contract";
      return `by ${file}, which the caller named${place === "" ? "" : `, and ${place}`}`;
    }
    case "allowed":
      return `by --broker-to${place === "" ? "" : `, and ${place}`}`;
  }
}

/**
 * Returns the other variables of the program whose values contain a brokered key, such as a URL with the key in it. The program
 * would get these copies in plain text.
 *
 * @param keys all brokered keys, in whose variables the program gets dummies and addresses
 */
export function findKeyCopies(
  { value }: BrokeredKey,
  keys: readonly BrokeredKey[],
  selected: Resolution,
): readonly string[] {
  // A short value such as `x` occurs in other values by chance.
  if (maskabilityOf(value) !== "masked") return [];
  const replacedNames = new Set(
    keys.flatMap(({ route, aliases, addressPaths }) => [route.name, ...aliases, ...Object.keys(addressPaths)]),
  );
  return Array.from(selected.values())
    .filter((variable) => variable.value.includes(value) && !replacedNames.has(variable.name))
    .map(({ name }) => printable(name));
}

/** Returns the secrets that the program would get in plain text: the excepted keys, and the declared secrets that are no keys. */
export function findUnbrokeredSecrets(
  { keys, faults, exposedKeys, exceptedKeys, outerKeyNames }: BrokerPlan,
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Pick<Environment, "foldsCase">,
): BrokerReport["others"] {
  const reportedElsewhere = new Set([
    ...keys.map(({ route }) => route.name),
    ...[faults, exposedKeys, exceptedKeys].flatMap((list) => list.map(({ name }) => name)),
    ...outerKeyNames,
  ]);
  const declaredSecrets = Array.from(contract.variables.values()).flatMap((declaration): BrokerReport["others"] => {
    const { name, secret, broker } = normalizeKeyName(declaration, environment);
    const resolved = isSet(selected, name) ? selected.get(name) : undefined;
    const isOfService = providerOf(name) !== undefined;
    // The key of a known service is reported even if the contract declares that it is no secret, since the broker does not hold it.
    if (reportedElsewhere.has(name) || !(secret || isOfService) || resolved === undefined) return [];
    return [
      {
        name: printable(name),
        why: findUnbrokeredReason(resolved, { isLeftByContract: isOfService || broker === false }),
      },
    ];
  });
  return [...exceptedKeys.map(({ name }) => ({ name: printable(name), why: "excepted" as const })), ...declaredSecrets];
}

/** @param options.isLeftByContract true if the broker could hold the secret, but the contract does not let it */
function findUnbrokeredReason(
  { origin, delivery }: ResolvedVariable,
  options: { readonly isLeftByContract: boolean },
): UnbrokeredReason {
  if (origin.source === "fake") return "fake";
  if (delivery === "file") return "file";
  return options.isLeftByContract ? "contract" : "unknown";
}
