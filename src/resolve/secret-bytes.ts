import type { Secret } from "../masking/model.ts";
import { initialEntries } from "../system/own-environment.ts";
import { secretsOf, type Sources } from "./secrets.ts";

/** Returns the secrets to search for: those of `secretsOf`, with the bytes that the caller gave, which may not be UTF-8. */
export function secretBytesOf(sources: Sources): readonly Secret[] {
  return secretsOf(sources).map(({ name, value }) => ({ name, value: originalValue(name, value) }));
}

/**
 * Returns the bytes of a variable for which Node.js has U+FFFD because they are not UTF-8 (Linux), else its value: in the
 * executable a Buffer of that value has the same bytes.
 */
export function originalValue(name: string, value: string): string | Uint8Array {
  if (!value.includes("\uFFFD")) return value;
  const entry = initialEntries().get(`${name}=${value}`);
  return entry?.subarray(entry.indexOf("=") + 1) ?? value;
}
