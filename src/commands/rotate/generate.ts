/** Random values of the formats that contracts declare. */
import { randomBytes } from "node:crypto";
import { formatFault, noWork } from "../../contract/format.ts";
import type { ValueFormat } from "../../contract/model.ts";

/** At least 128 bits: letters, digits, `-` and `_`; hexadecimal digits; letters and digits. */
function words(): readonly string[] {
  const alphanumeric = randomBytes(48)
    .toString("base64")
    .replaceAll(/[^A-Za-z\d]/g, "");
  const hex = [32, 16, 20].map((bytes) => randomBytes(bytes).toString("hex"));
  return [randomBytes(32).toString("base64url"), ...hex, alphanumeric.slice(0, 32)];
}

/** Makes a random value. @returns undefined if one of this format cannot be random enough */
export function generate(format: ValueFormat | undefined, name: string): string | undefined {
  if (format === undefined) return words()[0];
  if (format.kind === "base64") return randomBytes(32).toString("base64");
  if (format.kind !== "text") return undefined;
  const { prefixes, minLength, pattern } = format;
  const prefix = prefixes[0] ?? "";
  const random = words();
  const least = randomBytes(Math.max(minLength, 32)).toString("base64url").slice(0, Math.max(minLength, 32));
  const direct = [...random, least].map((word) => prefix + word);
  const sampled =
    pattern === undefined
      ? []
      : random
          .map((word) => pattern.sample(word, minLength))
          .filter((value, index) => value.includes(random[index] ?? ""));
  return [...direct, ...sampled].find((value) => formatFault(format, value, name, noWork()) === undefined);
}
