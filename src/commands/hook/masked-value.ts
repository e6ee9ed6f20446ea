/** Masks secrets in the texts of a JSON value. `sophia-run hook` uses it for the output of a coding agent's tools. */
import { Masker } from "../../masking/stream.ts";
import { Inspection, type SearchedSecrets } from "../scan/inspect.ts";

export interface MaskedValue {
  readonly value: unknown;
  /** The variables whose secrets were found, sorted. */
  readonly foundVariables: readonly string[];
}

/**
 * Returns the value in the same shape, with secrets in its texts replaced by `***`. The names of members are masked, too,
 * since a tool may return a map from keys.
 */
export function maskValue(value: unknown, secrets: SearchedSecrets): MaskedValue {
  const foundNames = new Set<string>();
  const maskText = (text: string): string => {
    const bytes = Buffer.from(text);
    const masker = new Masker(() => secrets.automaton);
    const pieces = [Buffer.from(masker.push(bytes)), masker.flush()];
    if (masker.maskCount === 0) return text;
    // The masker does not report which variables it has masked.
    const inspection = new Inspection(secrets);
    inspection.read(bytes, false);
    for (const { form } of inspection.collectFindings().findings) foundNames.add(form.name);
    return Buffer.concat(pieces).toString();
  };
  /** The masked names of members by the names. They are kept, since the objects of a list often have the same few names. */
  const maskedNames = new Map<string, string>();
  const maskName = (name: string): string => {
    const text = maskedNames.get(name) ?? maskText(name);
    maskedNames.set(name, text);
    return text;
  };
  const maskPart = (part: unknown): unknown => {
    if (typeof part === "string") return maskText(part);
    if (Array.isArray(part)) return part.map(maskPart);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [maskName(name), maskPart(member)]));
  };
  return { value: maskPart(value), foundVariables: [...foundNames].toSorted() };
}
