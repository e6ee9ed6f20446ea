/**
 * Obtains the new value for `sophia-run rotate NAME`: from the user, or with `--generate` a random value in the format that the
 * contract declares.
 */
import { randomBytes } from "node:crypto";
import { findFormatFault } from "../../contract/format.ts";
import type { Declaration, ValueFormat } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { readValueToWrite, createValueError } from "../parts/writing/given-value.ts";

/**
 * Returns the new value.
 *
 * @param isGenerated true if the value is generated (`--generate`)
 * @param oldValue the present value
 * @throws SophiaError (rotate-value, 125) if there is no value, or an invalid one; the message does not contain it
 */
export async function obtainNewValue(
  name: string,
  declaration: Declaration | undefined,
  isGenerated: boolean,
  oldValue: string,
  context: Context,
): Promise<string> {
  if (!isGenerated) {
    const remedy = "pass it at the prompt or by the standard input, or let --generate make one";
    return readValueToWrite(name, declaration, { what: "new value", remedy }, context);
  }
  // A URL cannot be replaced by a random value, even if the contract does not declare the format.
  const isAddress = /^[a-z][a-z\d+.-]*:\/\//i.test(oldValue);
  const value = isAddress ? undefined : generateValue(declaration?.format, name);
  if (value !== undefined) return value;
  const shownName = printable(name);
  throw createValueError(
    isAddress
      ? `${shownName} is a URL, which cannot be generated`
      : `no random value can be generated in the format that the contract declares for ${shownName}`,
    "leave out --generate, and pass the value by the standard input",
  );
}

/** Returns a random value; undefined if no value of this format has enough random bits. */
function generateValue(format: ValueFormat | undefined, name: string): string | undefined {
  if (format === undefined) return generateWords()[0];
  switch (format.kind) {
    case "text":
      return generateText(format, name);
    case "base64":
      return randomBytes(32).toString("base64");
    // A random address, setting or document has no meaning, or too few random bits.
    case "url":
    case "integer":
    case "number":
    case "boolean":
    case "port":
    case "enum":
    case "json":
    case "email":
      return undefined;
  }
}

/** Tries several random texts, and returns the first that has the declared prefix, length and pattern. */
function generateText(format: Extract<ValueFormat, { kind: "text" }>, name: string): string | undefined {
  const { prefixes, minLength, pattern } = format;
  const prefix = prefixes[0] ?? "";
  const words = generateWords();
  // 32 characters of base64url have 192 random bits.
  const length = Math.max(minLength, 32);
  const wordOfLength = randomBytes(length).toString("base64url").slice(0, length);
  // A sample that does not contain the whole word has fewer random bits.
  const patternSamples = words.flatMap((word) => {
    const sample = pattern?.sample(word, minLength) ?? "";
    return sample.includes(word) ? [sample] : [];
  });
  const prefixedWords = [...words, wordOfLength].map((word) => prefix + word);
  const candidates = [...prefixedWords, ...patternSamples];
  return candidates.find((value) => findFormatFault(format, value, name) === undefined);
}

/** Returns words with at least 128 random bits each: letters, digits, `-` and `_`; hexadecimal digits; letters and digits. */
function generateWords(): readonly string[] {
  const alphanumeric = randomBytes(48)
    .toString("base64")
    .replaceAll(/[^A-Za-z\d]/g, "");
  // Keys in hexadecimal digits usually have 256, 128 or 160 bits.
  const hex = [32, 16, 20].map((bytes) => randomBytes(bytes).toString("hex"));
  return [randomBytes(32).toString("base64url"), ...hex, alphanumeric.slice(0, 32)];
}
