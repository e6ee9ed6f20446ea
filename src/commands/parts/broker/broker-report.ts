/**
 * Reports which keys a start with `--broker` would broker, and where each would go. `check --broker` and `explain --broker`
 * print the report, as text or as JSON. It contains no values, and no broker is started.
 */
import { dummyKey } from "../../../broker/dummy.ts";
import { SOCKET_VARIABLE } from "../../../broker/broker-variables.ts";
import { originsOf } from "../../../broker/route.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { RequestLimit } from "../../../contract/broker/broker-model.ts";
import { providerOf } from "../../../contract/broker/providers.ts";
import { isSet } from "../../../contract/check-contract.ts";
import type { Environment, Resolution, Resolved } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { maskabilityOf } from "../../../masking/texts.ts";
import type { Start } from "../../../resolve/start.ts";
import { originWords } from "../../../resolve/source-words.ts";
import type { Exposure } from "./exposed-keys.ts";
import { EXPOSURE_REASONS, describeRemedies, describeKeyFault } from "./describe-key-faults.ts";
import { type BrokeredKey, type BrokerPlan, planBroker, withKnownSpelling } from "./brokered-keys.ts";
import { brokerPlanOptions } from "./broker-options.ts";

export interface BrokerReport {
  readonly keys: readonly KeyReport[];
  /**
   * Keys that cannot be brokered, whose origin is not trusted, or that the program would get in plain text. If there is one,
   * nothing would start.
   */
  readonly failures: readonly KeyFailure[];
  /** Keys that an outer sophia-run brokers. This sophia-run passes that one's dummies on unchanged. */
  readonly outer: readonly string[];
  /** Secrets that the program gets in plain text. */
  readonly others: readonly { readonly name: string; readonly why: NotBrokered }[];
}

export interface KeyReport {
  readonly name: string;
  readonly origin: string;
  /** The further origins of a service that has several. */
  readonly furtherOrigins?: readonly string[];
  /** The path of a gateway's address. It is empty without a gateway. */
  readonly path: string;
  /** The variables in which the program gets the address of the broker. */
  readonly variables: readonly string[];
  readonly by: BrokeredKey["because"];
  /** Describes who chose the origin to which the key goes. */
  readonly byWords: string;
  /** Path rules. If this list is empty, all paths are allowed that `deny` does not name. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly limit?: RequestLimit;
  /** Further variables of the program whose values contain the key. */
  readonly copies: readonly string[];
}

export interface KeyFailure {
  readonly name: string;
  readonly code: "broker" | "broker-untrusted" | "broker-clear";
  /** Why the program would get the key in plain text; absent for other failures. */
  readonly why?: Exposure;
  readonly problem: string;
  readonly remedy: string;
}

/**
 * Why the broker does not hold a secret. `fake`: it is a made-up value of `--fake`. `unknown`: the secret belongs to no known
 * service. `excepted`: the user named it in `--broker-except`.
 */
export type NotBrokered = "contract" | "file" | "fake" | "unknown" | "excepted";

/** The reasons as the user reads them. */
export const NOT_BROKERED: Readonly<Record<NotBrokered, string>> = {
  contract: "the contract says so",
  file: "passed as a file",
  fake: "a dummy value of --fake",
  excepted: "--broker-except",
  unknown: "no service is known",
};

/** @throws SophiaError (settings, 125) for a `--broker-to` that is not an origin */
export function reportBroker(start: Start, settings: Settings, environment: Environment): BrokerReport {
  const options = brokerPlanOptions(settings);
  const plan = planBroker(start, environment, options, dummyKey);
  const { keys, faults, exposed, outer } = plan;
  const exposedFailures = exposed.map((key): KeyFailure => ({
    name: printable(key.name),
    code: "broker-clear",
    why: key.why,
    problem: `the program would get its value (${EXPOSURE_REASONS[key.why]})`,
    remedy: describeRemedies([key], start.files.contract.source).join(" "),
  }));
  return {
    keys: keys.map((key) => reportKey(key, keys, start, "path" in options.listenAddress)),
    failures: [
      ...faults.map((fault) => ({ name: printable(fault.name), ...describeKeyFault(fault) })),
      ...exposedFailures,
    ],
    outer: outer.map(printable),
    others: findUnbrokeredSecrets(plan, start, environment),
  };
}

function reportKey(key: BrokeredKey, keys: readonly BrokeredKey[], start: Start, isSocket: boolean): KeyReport {
  const { route, base, because } = key;
  const [, ...further] = originsOf(route);
  return {
    name: printable(route.name),
    origin: printable(route.origin),
    ...(further.length > 0 && { furtherOrigins: further.map(printable) }),
    path: printable(route.path),
    variables: isSocket ? [SOCKET_VARIABLE] : Object.keys(base).map(printable),
    by: because,
    byWords: describeTrust(key, start),
    allow: route.allow.map(({ text }) => printable(text)),
    deny: route.deny.map(({ text }) => printable(text)),
    ...(route.limit !== undefined && { limit: route.limit }),
    copies: findKeyCopies(key, keys, start.values.selected),
  };
}

/** Returns who vouches for the origin of a key: `by OPENAI_BASE_URL of the caller's environment`. */
function describeTrust(
  { because, variable }: BrokeredKey,
  { files: { contract }, values: { selected } }: Start,
): string {
  const origin = variable === undefined ? undefined : selected.get(variable)?.origin;
  const name = printable(variable ?? "");
  const place = origin === undefined ? "" : `${name} of ${originWords(origin)}`;
  switch (because) {
    case "built-in":
      return "built in";
    case "caller":
      // The caller also vouches for a file that the caller has named.
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
 * Returns the other variables of the program whose values contain a brokered key: the broker does not replace those copies.
 *
 * @param keys all brokered keys. Their variables are left out, because the program gets dummies and addresses in these.
 */
export function findKeyCopies(
  { value }: BrokeredKey,
  keys: readonly BrokeredKey[],
  selected: Resolution,
): readonly string[] {
  // A short value such as `x` occurs in other values by chance.
  if (maskabilityOf(value) !== "masked") return [];
  const replaced = new Set(keys.flatMap(({ route, aliases, base }) => [route.name, ...aliases, ...Object.keys(base)]));
  return Array.from(selected.values())
    .filter((variable) => variable.value.includes(value) && !replaced.has(variable.name))
    .map(({ name }) => printable(name));
}

/** Returns the secrets that the program would get in plain text: the excepted keys, and declared secrets of no known service. */
export function findUnbrokeredSecrets(
  { keys, faults, exposed, excepted, outer }: BrokerPlan,
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Pick<Environment, "foldsCase">,
): BrokerReport["others"] {
  const reportedElsewhere = new Set([
    ...keys.map(({ route }) => route.name),
    ...[faults, exposed, excepted].flatMap((list) => list.map(({ name }) => name)),
    ...outer,
  ]);
  const declared = Array.from(contract.variables.values()).flatMap((written): BrokerReport["others"] => {
    const { name, secret, broker } = withKnownSpelling(written, environment);
    const resolved = isSet(selected, name) ? selected.get(name) : undefined;
    const isOfService = providerOf(name) !== undefined;
    // The key of a known service is reported even if the contract declares that it is no secret: the broker then lacks it.
    if (reportedElsewhere.has(name) || !(secret || isOfService) || resolved === undefined) return [];
    return [{ name: printable(name), why: reasonFor(resolved, isOfService || broker === false) }];
  });
  return [...excepted.map(({ name }) => ({ name: printable(name), why: "excepted" as const })), ...declared];
}

function reasonFor({ origin, delivery }: Resolved, isLeftByContract: boolean): NotBrokered {
  if (origin.source === "fake") return "fake";
  if (delivery === "file") return "file";
  return isLeftByContract ? "contract" : "unknown";
}
