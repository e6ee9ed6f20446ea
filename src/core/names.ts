/** Compares the names of environment variables case-insensitively, as Windows does. The file is loaded only on Windows. */
import type { Environment } from "./model.ts";

/**
 * Returns the same text for all spellings of a name. Windows replaces each character by its capital letter from a table of
 * single characters. So `ß` stays, since `SS` would be two characters, and `ı` and `ſ` do not become `I` and `S`.
 */
export function foldName(name: string): string {
  return Array.from(name, (character) => {
    const capital = character.toUpperCase();
    const becomesAscii = capital < "\u0080" && character >= "\u0080";
    const isInWindowsTable = capital.length === character.length && !becomesAscii;
    return isInWindowsTable ? capital : character;
  }).join("");
}

/** A map whose keys match in any case: `Path` finds `PATH`. Each key keeps the spelling with which it was first set. */
export class FoldedMap<Value> extends Map<string, Value> {
  readonly foldsCase = true;
  /** The spelling of each key of this map, by its folded form. */
  readonly #spellings = new Map<string, string>();

  constructor(entries: Iterable<readonly [string, Value]> = []) {
    super();
    // If there are several spellings of one name, the first one wins.
    for (const [name, value] of entries) if (!this.has(name)) this.set(name, value);
  }

  override get(name: string): Value | undefined {
    return super.get(this.#storedSpelling(name));
  }

  override has(name: string): boolean {
    return super.has(this.#storedSpelling(name));
  }

  override set(name: string, value: Value): this {
    const folded = foldName(name);
    const spelling = this.#spellings.get(folded) ?? name;
    this.#spellings.set(folded, spelling);
    return super.set(spelling, value);
  }

  override delete(name: string): boolean {
    const spelling = this.#storedSpelling(name);
    this.#spellings.delete(foldName(name));
    return super.delete(spelling);
  }

  override clear(): void {
    this.#spellings.clear();
    super.clear();
  }

  /** Returns the spelling of a key in this map; the name itself if it is not a key. */
  #storedSpelling(name: string): string {
    return this.#spellings.get(foldName(name)) ?? name;
  }
}

/** Returns the environment of a Windows process, without variables such as `=C:`, in which cmd keeps its working directories. */
export function windowsEnvironment(variables: Iterable<readonly [string, string]>): Environment {
  return new FoldedMap(Array.from(variables).filter(([name]) => !name.startsWith("=")));
}
