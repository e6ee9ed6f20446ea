/** Plans which keys of a start are brokered. A variable keeps its dummy in all plans of a run, so that a running program can go on. */
import { dummyKey } from "../../../broker/dummy.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { Declaration } from "../../../contract/contract-model.ts";
import type { Environment } from "../../../core/model.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import type { Start } from "../../../resolve/start.ts";
import { type BrokerPlan, planBroker, type BrokerPlanOptions } from "../../parts/broker/brokered-keys.ts";
import { brokerErrorOf } from "../../parts/broker/describe-key-faults.ts";

/** The plan without `--broker`. */
const NO_KEYS: BrokerPlan = { keys: [], faults: [], exposed: [], excepted: [], outer: [] };

export class KeyPlanner {
  readonly #settings: Pick<Settings, "broker">;
  readonly #options: BrokerPlanOptions;
  readonly #environment: Environment;
  /** The dummies by variable; undefined for a variable whose contract allows no dummy. */
  readonly #dummies = new Map<string, string | undefined>();

  /** @param environment the caller's variables */
  constructor(settings: Pick<Settings, "broker">, options: BrokerPlanOptions, environment: Environment) {
    this.#settings = settings;
    this.#options = options;
    this.#environment = environment;
  }

  /** @throws SophiaError (broker, broker-clear, broker-untrusted; 125) if a key cannot be brokered */
  plan(start: Start): BrokerPlan {
    if (!this.#settings.broker) return NO_KEYS;
    const plan = planBroker(start, this.#environment, this.#options, (declaration) => this.#dummyFor(declaration));
    const refusal = brokerErrorOf(plan, start.files.contract.source);
    if (refusal !== undefined) throw refusal;
    return plan;
  }

  /** Returns the dummies of all plans so far, with the names of their variables. */
  dummies(): readonly Secret[] {
    return Array.from(this.#dummies).flatMap(([name, value]) => (value === undefined ? [] : { name, value }));
  }

  #dummyFor(declaration: Declaration): string | undefined {
    const { name } = declaration;
    if (!this.#dummies.has(name)) this.#dummies.set(name, dummyKey(declaration));
    return this.#dummies.get(name);
  }
}
