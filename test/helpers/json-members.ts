/** Reads members of values whose types are unknown, such as documents of JSON and YAML. */

/** Returns the value under these keys, one below the other; undefined if a key is missing. */
export function memberAt(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let member = value;
  for (const key of keys) {
    member = typeof member === "object" && member !== null ? Reflect.get(member, key) : undefined;
  }
  return member;
}

/** Returns the object under these keys; an empty object if there is none. */
export function recordAt(value: unknown, ...keys: readonly (string | number)[]): Readonly<Record<string, unknown>> {
  const member = memberAt(value, ...keys);
  return typeof member === "object" && member !== null ? Object.fromEntries(Object.entries(member)) : {};
}
