/**
 * Plans which keys of a start the broker holds, for the first program of a run and for each later one (`--watch`). A variable has
 * the same dummy, the made-up value that the program gets, in all plans of a run. So a running program can go on with its dummy
 * after the broker's keys were swapped.
 */
import { createDummy } from "../../../broker/dummy.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { Declaration } from "../../../contract/contract-model.ts";
import type { Environment } from "../../../core/model.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import type { Start } from "../../../resolve/start.ts";
import { type BrokerPlan, planBroker, type BrokerPlanOptions } from "../../parts/broker/brokered-keys.ts";
import { createBrokerError } from "../../parts/broker/describe-key-faults.ts";

/** The plan without `--broker`. */
const NO_KEYS: BrokerPlan = { keys: [], faults: [], exposedKeys: [], exceptedKeys: [], outerKeyNames: [] };

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

  /** Plans the keys of a start; none without `--broker`. @throws SophiaError (broker, broker-clear, broker-untrusted; 125) */
  plan(start: Start): BrokerPlan {
    if (!this.#settings.broker) return NO_KEYS;
    const plan = planBroker(start, this.#environment, this.#options, (declaration) => this.#dummyFor(declaration));
    const refusal = createBrokerError(plan, start.files.contract.source);
    if (refusal !== undefined) throw refusal;
    return plan;
  }

  /** Returns the dummies of all plans so far, with the names of their variables. */
  dummies(): readonly Secret[] {
    return Array.from(this.#dummies).flatMap(([name, value]) => (value === undefined ? [] : { name, value }));
  }

  /** Returns the dummy of a variable, and makes it when the variable is planned for the first time. */
  #dummyFor(declaration: Declaration): string | undefined {
    const { name } = declaration;
    if (!this.#dummies.has(name)) this.#dummies.set(name, createDummy(declaration));
    return this.#dummies.get(name);
  }
}
