/** What stands in a value, such as a document that was read, under these keys; undefined where it is not there. */
export function at(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of keys) {
    found = typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined;
  }
  return found;
}

/** The object under these keys; an empty one where there is none. */
export function recordAt(value: unknown, ...keys: readonly (string | number)[]): Readonly<Record<string, unknown>> {
  const found = at(value, ...keys);
  return typeof found === "object" && found !== null ? Object.fromEntries(Object.entries(found)) : {};
}
