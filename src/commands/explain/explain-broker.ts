/** Explains what --broker does with a variable, and where else its key lies. */
import type { Values } from "../../command-line/options.ts";
import type { Settings } from "../../command-line/settings.ts";
import { checkBrokerExcept } from "../parts/broker/broker-except-option.ts";
import { baseOf } from "../../contract/broker/entry.ts";
import { providerOf } from "../../contract/broker/providers.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import type { Start } from "../../resolve/start.ts";
import { type BrokerableKey, findBrokerableKeys } from "../parts/broker/brokered-keys.ts";
import { type KeyFailure, type KeyReport, type NotBrokered, reportBroker } from "../parts/broker/broker-report.ts";
import { type KeyLocation, locationsOf } from "./locations.ts";

export type BrokerExplanation =
  | ({ readonly kind: "brokered"; readonly liesIn: readonly KeyLocation[] } & KeyReport)
  | ({ readonly kind: "refused" } & KeyFailure)
  /** An outer sophia-run brokers it. */
  | { readonly kind: "outer" }
  | { readonly kind: "not-brokered"; readonly why: NotBrokered }
  /** Has the address of the broker. */
  | { readonly kind: "address"; readonly keys: readonly string[] }
  /** Without --broker: what it would do. */
  | { readonly kind: "offer"; readonly what: "dummy" | "address"; readonly keys: readonly string[] };

export interface BrokerExplainer {
  /** Variables that the program gets although no source sets them. */
  readonly added: readonly string[];
  readonly of: (name: string) => BrokerExplanation | undefined;
}

/** @throws SophiaError (settings, 125) for a `--broker-to` that is no origin, or a `--broker-except` that is no key */
export function brokerExplainer(start: Start, settings: Settings, options: Values, context: Context): BrokerExplainer {
  const canonical = (given: string): string => {
    const name = start.files.contract.aliases.get(given) ?? given;
    const upper = name.toUpperCase();
    return context.environment.foldsCase === true && providerOf(upper) !== undefined ? upper : name;
  };
  if (!settings.broker) {
    const keys = findBrokerableKeys(start, context.environment);
    return { added: [], of: (name) => offer(canonical(name), keys) };
  }
  checkBrokerExcept(settings, options, start, context.environment);
  const { keys, failures, outer, others } = reportBroker(start, settings, context.environment);
  return {
    added: keys.flatMap(({ variables }) => variables),
    of: (given) => {
      const name = printable(canonical(given));
      const key = keys.find((one) => one.name === name);
      if (key !== undefined) return { kind: "brokered", ...key, liesIn: locationsOf(key, start, context) };
      const failure = failures.find((one) => one.name === name || one.name === printable(given));
      if (failure !== undefined) return { kind: "refused", ...failure };
      if (outer.includes(name)) return { kind: "outer" };
      const leading = keys.filter(({ variables }) => variables.includes(name));
      if (leading.length > 0) return { kind: "address", keys: leading.map((one) => one.name) };
      const other = others.find((one) => one.name === name);
      return other === undefined ? undefined : { kind: "not-brokered", why: other.why };
    },
  };
}

function offer(name: string, keys: readonly BrokerableKey[]): BrokerExplanation | undefined {
  if (keys.some(({ declaration }) => declaration.name === name)) {
    return { kind: "offer", what: "dummy", keys: [printable(name)] };
  }
  const leading = keys.flatMap(({ declaration, entry }) =>
    Object.hasOwn(baseOf(declaration.name, entry), name) ? [printable(declaration.name)] : [],
  );
  return leading.length === 0 ? undefined : { kind: "offer", what: "address", keys: leading };
}
