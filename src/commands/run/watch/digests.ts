/** Computes digests by which `--watch` recognizes changed values, so that it need not keep the former secrets in memory. */
import { createHmac, randomBytes } from "node:crypto";
import { BROKERED_VARIABLE } from "../../../contract/broker/broker-model.ts";
import type { Environment } from "../../../core/model.ts";
import type { SecretFile } from "../../../launch/index.ts";

/** Digests by name. A brokered key is in both maps: the program has its dummy, and the broker has its value. */
export interface Digests {
  /** The digests of the program's variables and files. */
  readonly program: ReadonlyMap<string, string>;
  /** The digests of the keys that the broker has. */
  readonly brokered: ReadonlyMap<string, string>;
  /** The names of the files that are renewed while the program runs (`--refresh`). */
  readonly renewed: ReadonlySet<string>;
}

/** The values that a program gets: a `BrokeredDelivery`, or the result of `createDelivery` without a broker. */
interface DeliveredValues {
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  readonly brokered?: ReadonlyMap<string, string>;
  readonly renewedFiles?: ReadonlySet<string>;
}

const NO_KEYS: ReadonlyMap<string, string> = new Map();
const NO_FILES: ReadonlySet<string> = new Set();

/** Returns a digest function with a random key. Without the key, an attacker who sees a digest cannot test guessed values. */
export function createDigest(): (values: DeliveredValues) => Digests {
  const key = randomBytes(32);
  const digest = (kind: string, value: string): string =>
    createHmac("sha256", key).update(`${kind}\0${value}`).digest("base64");
  return ({ environment, files, brokered = NO_KEYS, renewedFiles = NO_FILES }) => {
    const program = new Map([
      ...Array.from(environment, ([name, value]) => [name, digest("value", value)] as const),
      ...files.map(({ name, content }) => [name, digest("file", content)] as const),
    ]);
    // This variable lists the names of the brokered keys. It changes whenever a key appears, which needs no restart by itself.
    program.delete(BROKERED_VARIABLE);
    return {
      program,
      brokered: new Map(Array.from(brokered, ([name, value]) => [name, digest("key", value)])),
      renewed: renewedFiles,
    };
  };
}

/** Returns the sorted names whose digests differ, or that only one of the maps has. */
export function findChangedNames(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).toSorted();
}
