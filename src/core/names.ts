/** Compares the names of variables without regard to case, as Windows does. The file is loaded only on Windows. */
import type { Environment } from "./model.ts";

/**
 * Returns the same text for all spellings of a name. Windows replaces each character by its capital letter, by a table of
 * single characters: `ß` does not become two letters, and no other letter becomes one of ASCII (`ı`, `ſ`).
 */
export function foldedName(name: string): string {
  return Array.from(name, (character) => {
    const capital = character.toUpperCase();
    const isNewAscii = capital < "\u0080" && character >= "\u0080";
    const isInTable = capital.length === character.length && !isNewAscii;
    return isInTable ? capital : character;
  }).join("");
}

/** A map whose keys match in any case: `Path` finds `PATH`. Each key keeps the spelling with which it was first set. */
export class FoldedMap<Value> extends Map<string, Value> {
  readonly foldsCase = true;
  /** The spelling of each key, by its folded form. */
  readonly #spellings = new Map<string, string>();

  constructor(entries: Iterable<readonly [string, Value]> = []) {
    super();
    // If there are several spellings of one name, the first one wins.
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
