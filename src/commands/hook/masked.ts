/** Masks the texts of a JSON value; pure. */
import { Masker } from "../../masking/stream.ts";
import { Inspection, type SearchedSecrets } from "../scan/inspect.ts";

export interface Masked {
  readonly value: unknown;
  /** The variables whose secrets were found, sorted. */
  readonly names: readonly string[];
}

/** Returns the value with its texts masked, in the same shape, also in the names of members: a tool may have a map of keys. */
export function masked(value: unknown, secrets: SearchedSecrets): Masked {
  const names = new Set<string>();
  const maskText = (text: string): string => {
    const bytes = Buffer.from(text);
    const masker = new Masker(() => secrets.automaton);
    const pieces = [Buffer.from(masker.push(bytes)), masker.flush()];
    if (masker.maskCount === 0) return text;
    const inspection = new Inspection(secrets);
    inspection.read(bytes, false);
    for (const { form } of inspection.result().findings) names.add(form.name);
    return Buffer.concat(pieces).toString();
  };
  const membersMasked = new Map<string, string>();
  // Lists have the same few names again and again.
  const maskName = (name: string): string => {
    const text = membersMasked.get(name) ?? maskText(name);
    membersMasked.set(name, text);
    return text;
  };
  const maskAll = (part: unknown): unknown => {
    if (typeof part === "string") return maskText(part);
    if (Array.isArray(part)) return part.map(maskAll);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [maskName(name), maskAll(member)]));
  };
  return { value: maskAll(value), names: [...names].toSorted() };
}
