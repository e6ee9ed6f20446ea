/** Digests that tell values apart without keeping them. */
import { createHmac, randomBytes } from "node:crypto";
import type { Environment } from "../../../core/model.ts";
import type { SecretFile } from "../../../launch/index.ts";

/** A keyed digest of each variable and file, by name. */
export type Digests = ReadonlyMap<string, string>;

/** Returns a digest function with a random key of its own, so that no guessed value can be compared with its digests. */
export function makeDigest(): (delivered: {
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
}) => Digests {
  const key = randomBytes(32);
  const digest = (kind: string, value: string): string =>
    createHmac("sha256", key).update(`${kind}\0${value}`).digest("base64");
  return ({ environment, files }) =>
    new Map([
      ...Array.from(environment, ([name, value]) => [name, digest("value", value)] as const),
      ...files.map(({ name, content }) => [name, digest("file", content)] as const),
    ]);
}

export function changedNames(one: Digests, other: Digests): readonly string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name)).toSorted();
}
