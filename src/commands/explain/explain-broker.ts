/**
 * Explains for `sophia-run explain` what `--broker` does with a variable. The broker keeps API keys from the program: in
 * place of a key the program gets a dummy, and in another variable the broker's address. The result also lists where else a
 * program could find the key.
 */
import type { Values } from "../../command-line/options.ts";
import type { Settings } from "../../command-line/settings.ts";
import { checkBrokerExcept } from "../parts/broker/broker-except-option.ts";
import { baseOf } from "../../contract/broker/entry.ts";
import { providerOf } from "../../contract/broker/providers.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import type { Start } from "../../resolve/start.ts";
import { type BrokerableKey, findBrokerableKeys } from "../parts/broker/brokered-keys.ts";
import { type KeyFailure, type KeyReport, type UnbrokeredReason, reportBroker } from "../parts/broker/broker-report.ts";
import { findKeyLocations, type KeyLocation } from "./locations.ts";

/** The effect on one variable, as it appears in the JSON report. */
export type BrokerExplanation =
  /** The program gets a dummy. */
  | ({ readonly kind: "brokered"; readonly liesIn: readonly KeyLocation[] } & KeyReport)
  /** A start would end with this failure. */
  | ({ readonly kind: "refused" } & KeyFailure)
  /** An outer sophia-run brokers it: its value is a dummy already. */
  | { readonly kind: "outer" }
  /** It is a secret that the program gets itself. */
  | { readonly kind: "not-brokered"; readonly why: UnbrokeredReason }
  /** The program gets the address of the broker in it, for these keys. */
  | { readonly kind: "address"; readonly keys: readonly string[] }
  /** The user has not given --broker, which would have this effect. */
  | { readonly kind: "offer"; readonly what: "dummy" | "address"; readonly keys: readonly string[] };

/** Explains single variables. Its creation has computed what all variables share. */
export interface BrokerExplainer {
  /** The names of variables that the program gets although no source sets them. */
  readonly addedNames: readonly string[];
  /** Explains a variable; undefined if --broker does not concern it. */
  readonly explain: (name: string) => BrokerExplanation | undefined;
}

/**
 * Prepares the explanation of all variables of a start.
 *
 * @throws SophiaError (settings, 125) for a `--broker-to` that is no origin, or a `--broker-except` that is no key
 */
export function createBrokerExplainer(
  start: Start,
  settings: Settings,
  options: Values,
  context: Context,
): BrokerExplainer {
  const { aliases } = start.files.contract;
  const canonicalName = (givenName: string): string => {
    const name = aliases.get(givenName) ?? givenName;
    // On Windows, where names ignore case, the user may write the key of a known service in any spelling.
    const upperName = name.toUpperCase();
    return context.environment.foldsCase === true && providerOf(upperName) !== undefined ? upperName : name;
  };
  if (!settings.broker) {
    const keys = findBrokerableKeys(start, context.environment);
    return { addedNames: [], explain: (name) => explainOffer(canonicalName(name), keys) };
  }
  checkBrokerExcept(settings, options, start, context.environment);
  const { keys, failures, outer, others } = reportBroker(start, settings, context.environment);
  return {
    addedNames: keys.flatMap(({ variables }) => variables),
    explain: (givenName) => {
      const name = printable(canonicalName(givenName));
      const key = keys.find((report) => report.name === name);
      if (key !== undefined) return { kind: "brokered", ...key, liesIn: findKeyLocations(key, start, context) };
      const failure = failures.find((report) => report.name === name || report.name === printable(givenName));
      if (failure !== undefined) return { kind: "refused", ...failure };
      if (outer.includes(name)) return { kind: "outer" };
      const keysAtAddress = keys.filter(({ variables }) => variables.includes(name));
      if (keysAtAddress.length > 0) return { kind: "address", keys: keysAtAddress.map((report) => report.name) };
      const other = others.find((secret) => secret.name === name);
      return other === undefined ? undefined : { kind: "not-brokered", why: other.why };
    },
  };
}

/** Explains what --broker would do with a variable; undefined if it would do nothing. */
function explainOffer(name: string, keys: readonly BrokerableKey[]): BrokerExplanation | undefined {
  if (keys.some(({ declaration }) => declaration.name === name)) {
    return { kind: "offer", what: "dummy", keys: [printable(name)] };
  }
  const keysAtAddress = keys.flatMap(({ declaration, entry }) =>
    Object.hasOwn(baseOf(declaration.name, entry), name) ? [printable(declaration.name)] : [],
  );
  return keysAtAddress.length === 0 ? undefined : { kind: "offer", what: "address", keys: keysAtAddress };
}
