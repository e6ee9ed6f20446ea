/**
 * Holds the API keys that the broker of a run adds to the program's requests (`--broker`). For each request, the broker's server
 * asks a `ServedKeys` for the real key and for a connection to the service, and has it record the request (`BrokerOptions`). The
 * class also reports problems of the server to the user, and knows which keys the program has used.
 */
import type { Agent } from "node:http";
import type { BrokerOptions } from "../../../broker/broker-server.ts";
import { MAX_GUESSES } from "../../../broker/guesses.ts";
import type { RequestRecord } from "../../../broker/request-record.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { readCallerNetwork } from "../../../esc/settings/access-settings.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import { createConnectionPool } from "../../../network/pool.ts";
import { printLines } from "../../../output/stderr.ts";
import type { BrokeredKey } from "../../parts/broker/brokered-keys.ts";
import type { RequestWriter } from "./records.ts";

export class ServedKeys implements BrokerOptions {
  readonly #context: Context;
  readonly #requestWriter: RequestWriter | undefined;
  readonly #network: NetworkSettings;
  /** The connection pools, by the origin of the service. */
  readonly #agents = new Map<string, Agent>();
  /** The keys in use, by the names of their variables. */
  #keys: ReadonlyMap<string, BrokeredKey> = new Map();
  /** The variables whose keys at least one request has used. */
  readonly #usedNames = new Set<string>();
  /** Writes a warning to standard error. */
  #writeReport: (text: string) => void;
  /** Asks ESC whether the key of this variable has changed. Without `--watch` it does nothing. */
  #lookForChange: (name: string) => Promise<void> = () => Promise.resolve();

  /** @param requestWriter writes a line of the audit log for each request; undefined without `--audit-log` */
  constructor(context: Context, requestWriter: RequestWriter | undefined) {
    this.#context = context;
    this.#requestWriter = requestWriter;
    this.#network = readCallerNetwork(context.environment);
    this.#writeReport = context.err;
  }

  /** Uses these keys for later requests, in place of all former keys. */
  replace(keys: readonly BrokeredKey[]): void {
    this.#keys = new Map(keys.map((key) => [key.route.name, key]));
  }

  /** Returns the names of the variables whose keys are in use. */
  names(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** Returns the keys that no request has used. */
  unused(): readonly BrokeredKey[] {
    return [...this.#keys.values()].filter(({ route }) => !this.#usedNames.has(route.name));
  }

  /** Sets the function that writes later reports, since the program now writes to standard error as well. */
  writeReportsWith(write: (text: string) => void): void {
    this.#writeReport = write;
  }

  /** Sets the function that asks ESC for a new key when a service answers 401. */
  lookForChangesWith(look: (name: string) => Promise<void>): void {
    this.#lookForChange = look;
  }

  // The server calls the functions below, which `BrokerOptions` explains. They are properties of an object for it, so they must not
  // depend on the `this` of the caller.
  readonly keyOf = (name: string): string => this.#keys.get(name)?.value ?? "";

  readonly agentFor = (origin: string): Agent => {
    const agent = this.#agents.get(origin) ?? createConnectionPool(origin, this.#network);
    this.#agents.set(origin, agent);
    return agent;
  };

  readonly onUnauthorized = (name: string): Promise<void> => this.#lookForChange(name);

  readonly record = (entry: RequestRecord): void => {
    if (entry.name !== undefined) this.#usedNames.add(entry.name);
    this.#requestWriter?.write(entry);
  };

  readonly reportRecordFailure = (error: unknown): void => {
    const problem = error instanceof SophiaError ? error.message : "a request cannot be recorded";
    this.#warn(`${problem}; the broker is closed, and further requests of the program fail`);
  };

  readonly warnOfGuesses = (address: string): void => {
    this.#warn(`${printable(address)} sent ${MAX_GUESSES} wrong keys; the broker refuses it for a minute`);
  };

  #warn(problem: string): void {
    printLines({ ...this.#context, err: this.#writeReport }, [`warning: ${problem}`]);
  }
}
