/** Reports for people and programs which keys are brokered and where each goes, without values; nothing listens. */
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
import { EXPOSURES, waysOut, wordsOf } from "./key-fault-words.ts";
import { type BrokeredKey, type BrokerPlan, planBroker, spelledAsBuiltIn } from "./brokered-keys.ts";
import { planOptions } from "./broker-options.ts";

export interface BrokerReport {
  readonly keys: readonly KeyReport[];
  /** Keys that cannot be brokered, whose origin is not trusted, or that the program would get in clear: nothing would start. */
  readonly failures: readonly KeyFailure[];
  /** Keys of an outer sophia-run: this one leaves its dummies alone. */
  readonly outer: readonly string[];
  /** Secrets that the program gets themselves. */
  readonly others: readonly { readonly name: string; readonly why: NotBrokered }[];
}

export interface KeyReport {
  readonly name: string;
  readonly origin: string;
  /** The further origins of a service that has several. */
  readonly furtherOrigins?: readonly string[];
  /** The path of a gateway's address; mostly empty. */
  readonly path: string;
  /** The variables in which the program gets the address of the broker. */
  readonly variables: readonly string[];
  readonly by: BrokeredKey["because"];
  /** Names in words who says where the key goes. */
  readonly byWords: string;
  /** Rules of paths; without allowed ones all is allowed that is not denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly limit?: RequestLimit;
  /** Further variables of the program with the key in their values. */
  readonly copies: readonly string[];
}

export interface KeyFailure {
  readonly name: string;
  readonly code: "broker" | "broker-untrusted" | "broker-clear";
  /** For a key that the program would get in clear. */
  readonly why?: Exposure;
  readonly problem: string;
  readonly remedy: string;
}

/** `unknown`: no service is known. `excepted`: the caller has said so. */
export type NotBrokered = "contract" | "file" | "fake" | "unknown" | "excepted";

/** Reasons, for people. */
export const NOT_BROKERED: Readonly<Record<NotBrokered, string>> = {
  contract: "the contract says so",
  file: "passed as a file",
  fake: "a dummy value of --fake",
  excepted: "--broker-except",
  unknown: "no service is known",
};

/** @throws SophiaError (settings, 125) for a `--broker-to` that is no origin */
export function reportBroker(start: Start, settings: Settings, environment: Environment): BrokerReport {
  const options = planOptions(settings);
  const plan = planBroker(start, environment, options, dummyKey);
  const { keys, faults, exposed, outer } = plan;
  const clear = exposed.map((key): KeyFailure => ({
    name: printable(key.name),
    code: "broker-clear",
    why: key.why,
    problem: `the program would get its value (${EXPOSURES[key.why]})`,
    remedy: waysOut([key], start.files.contract.source).join(" "),
  }));
  return {
    keys: keys.map((key) => reportKey(key, keys, start, "path" in options.address)),
    failures: [...faults.map((fault) => ({ name: printable(fault.name), ...wordsOf(fault) })), ...clear],
    outer: outer.map(printable),
    others: notBrokered(plan, start, environment),
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
    byWords: byWords(key, start),
    allow: route.allow.map(({ text }) => printable(text)),
    deny: route.deny.map(({ text }) => printable(text)),
    ...(route.limit !== undefined && { limit: route.limit }),
    copies: copiesOf(key, keys, start.values.selected),
  };
}

function byWords({ because, variable }: BrokeredKey, { files: { contract }, values: { selected } }: Start): string {
  const origin = variable === undefined ? undefined : selected.get(variable)?.origin;
  const name = printable(variable ?? "");
  const place = origin === undefined ? "" : `${name} of ${originWords(origin)}`;
  switch (because) {
    case "built-in":
      return "built in";
    case "caller":
      // A file that the caller has named is the caller's word, too.
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
 * Returns the other variables that the program gets with the value of a brokered key in them.
 *
 * @param keys all that are brokered: the program gets dummies and addresses in their variables
 */
export function copiesOf(
  { value }: BrokeredKey,
  keys: readonly BrokeredKey[],
  selected: Resolution,
): readonly string[] {
  // A placeholder such as `x` is a part of other values by chance.
  if (maskabilityOf(value) !== "masked") return [];
  const replaced = new Set(keys.flatMap(({ route, aliases, base }) => [route.name, ...aliases, ...Object.keys(base)]));
  return Array.from(selected.values()).flatMap((one) =>
    one.value.includes(value) && !replaced.has(one.name) ? [printable(one.name)] : [],
  );
}

/** Returns the secrets that a start would pass on themselves: the excepted keys, and declared secrets. */
export function notBrokered(
  { keys, faults, exposed, excepted, outer }: BrokerPlan,
  { files: { contract }, values: { selected } }: Pick<Start, "files" | "values">,
  environment: Pick<Environment, "foldsCase">,
): BrokerReport["others"] {
  const known = new Set(
    [keys.map(({ route }) => route), faults, exposed, excepted].flatMap((some) => some.map(({ name }) => name)),
  );
  for (const name of outer) known.add(name);
  const declared = Array.from(contract.variables.values()).flatMap((written): BrokerReport["others"] => {
    const { name, secret, broker } = spelledAsBuiltIn(written, environment);
    const resolved = isSet(selected, name) ? selected.get(name) : undefined;
    const isOfService = providerOf(name) !== undefined;
    // A contract that calls a key no secret takes it from the broker, too.
    if (known.has(name) || !(secret || isOfService) || resolved === undefined) return [];
    const why = whyNot(resolved, isOfService || broker === false);
    return [{ name: printable(name), why }];
  });
  return [...excepted.map(({ name }) => ({ name: printable(name), why: "excepted" as const })), ...declared];
}

function whyNot({ origin, delivery }: Resolved, isOfContract: boolean): NotBrokered {
  if (origin.source === "fake") return "fake";
  if (delivery === "file") return "file";
  return isOfContract ? "contract" : "unknown";
}
