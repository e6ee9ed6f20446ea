/** Case-insensitive names of variables, as Windows has them; loaded only there. */
import type { Environment } from "./model.ts";

/**
 * Returns the same text for all spellings of a name. Windows replaces single characters by its table of capital letters:
 * `ß` does not become two, and no other letter becomes one of ASCII (`ı`, `ſ`).
 */
export function foldedName(name: string): string {
  return Array.from(name, (character) => {
    const capital = character.toUpperCase();
    const isOther = capital.length !== character.length || (capital < "\u0080" && character >= "\u0080");
    return isOther ? character : capital;
  }).join("");
}

/** A map with case-insensitive names: `Path` finds `PATH`. A name keeps its first spelling. */
export class FoldedMap<Value> extends Map<string, Value> {
  readonly foldsCase = true;
  readonly #spellings = new Map<string, string>();

  constructor(entries: Iterable<readonly [string, Value]> = []) {
    super();
    for (const [name, value] of entries) if (!this.has(name)) this.set(name, value);
  }

  override get(name: string): Value | undefined {
    return super.get(this.#spelled(name));
  }

  override has(name: string): boolean {
    return super.has(this.#spelled(name));
  }

  override set(name: string, value: Value): this {
    const folded = foldedName(name);
    const spelled = this.#spellings.get(folded) ?? name;
    this.#spellings.set(folded, spelled);
    return super.set(spelled, value);
  }

  override delete(name: string): boolean {
    const spelled = this.#spelled(name);
    this.#spellings.delete(foldedName(name));
    return super.delete(spelled);
  }

  override clear(): void {
    this.#spellings.clear();
    super.clear();
  }

  #spelled(name: string): string {
    return this.#spellings.get(foldedName(name)) ?? name;
  }
}

/** Returns the environment of a Windows process, without the variables of cmd that begin with `=`. */
export function windowsEnvironment(variables: Iterable<readonly [string, string]>): Environment {
  return new FoldedMap(Array.from(variables).filter(([name]) => !name.startsWith("=")));
}
