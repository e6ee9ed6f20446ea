/** Digests that tell values apart without keeping them. */
import { createHmac, randomBytes } from "node:crypto";
import type { Environment } from "../../../core/model.ts";
import type { SecretFile } from "../../../launch/index.ts";

/** A keyed digest of each variable and file, by name. */
export type Prints = ReadonlyMap<string, string>;

/** @returns takes digests with a random key of its own, so that nobody can try values on them */
export function printer(): (given: {
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
}) => Prints {
  const key = randomBytes(32);
  const print = (kind: string, value: string): string =>
    createHmac("sha256", key).update(`${kind}\0${value}`).digest("base64");
  return ({ environment, files }) =>
    new Map([
      ...Array.from(environment, ([name, value]) => [name, print("value", value)] as const),
      ...files.map(({ name, content }) => [name, print("file", content)] as const),
    ]);
}

/** The sorted names of what is new, gone or different. */
export function differing(one: Prints, other: Prints): readonly string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name)).toSorted();
}
