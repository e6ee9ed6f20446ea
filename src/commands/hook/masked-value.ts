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
  const masker = new ValueMasker(secrets);
  const maskedValue = masker.mask(value);
  return { value: maskedValue, foundVariables: [...masker.foundVariables].toSorted() };
}

class ValueMasker {
  readonly foundVariables = new Set<string>();
  readonly #secrets: SearchedSecrets;
  /** The masked names of members by the names. They are kept, since the objects of a list often have the same few names. */
  readonly #maskedNames = new Map<string, string>();

  constructor(secrets: SearchedSecrets) {
    this.#secrets = secrets;
  }

  mask(value: unknown): unknown {
    if (typeof value === "string") return this.#maskText(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.mask(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]: [string, unknown]) => [this.#maskName(name), this.mask(member)]),
    );
  }

  #maskName(name: string): string {
    const maskedName = this.#maskedNames.get(name) ?? this.#maskText(name);
    this.#maskedNames.set(name, maskedName);
    return maskedName;
  }

  /** Masks a text, and adds the variables whose secrets it contains to `foundVariables`. */
  #maskText(text: string): string {
    const bytes = Buffer.from(text);
    const masker = new Masker(() => this.#secrets.automaton);
    const pieces = [Buffer.from(masker.push(bytes)), masker.flush()];
    if (masker.maskCount === 0) return text;
    // The masker does not report which variables it has masked.
    const inspection = new Inspection(this.#secrets);
    inspection.read(bytes, false);
    for (const { form } of inspection.collectFindings().findings) this.foundVariables.add(form.name);
    return Buffer.concat(pieces).toString();
  }
}
