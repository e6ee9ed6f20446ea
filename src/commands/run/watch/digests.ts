/** Digests that tell values apart without keeping them. */
import { createHmac, randomBytes } from "node:crypto";
import { BROKERED_VARIABLE } from "../../../contract/broker/broker-model.ts";
import type { Environment } from "../../../core/model.ts";
import type { SecretFile } from "../../../launch/index.ts";

/** Keyed digests by name. A brokered key is a variable of the program as well, with its dummy. */
export interface Digests {
  /** Digests of the program's variables and files. */
  readonly program: ReadonlyMap<string, string>;
  /** Digests of the keys that the broker has. */
  readonly brokered: ReadonlyMap<string, string>;
  /** The files that are renewed while the program runs (`--refresh`). */
  readonly renewed: ReadonlySet<string>;
}

interface Delivered {
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  /** Texts that tell what the broker sends for each key. */
  readonly brokered?: ReadonlyMap<string, string>;
  readonly renewedFiles?: ReadonlySet<string>;
}

/** Returns a digest function with a random key of its own, so that no guessed value can be compared with its digests. */
export function makeDigest(): (delivered: Delivered) => Digests {
  const key = randomBytes(32);
  const digest = (kind: string, value: string): string =>
    createHmac("sha256", key).update(`${kind}\0${value}`).digest("base64");
  return ({ environment, files, brokered = new Map<string, string>(), renewedFiles: renewed = new Set() }) => {
    const program = new Map([
      ...Array.from(environment, ([name, value]) => [name, digest("value", value)] as const),
      ...files.map(({ name, content }) => [name, digest("file", content)] as const),
    ]);
    // Changes with the keys that it names.
    program.delete(BROKERED_VARIABLE);
    return {
      program,
      brokered: new Map(Array.from(brokered, ([name, value]) => [name, digest("key", value)])),
      renewed,
    };
  };
}

/** Returns the sorted names with different digests, or in one map alone. */
export function changedNames(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).toSorted();
}
