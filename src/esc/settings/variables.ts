import { SophiaError } from "../../core/error.ts";
import type { Environment, Layer } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { namesFromFiles, OUTER_FILE } from "./from-files.ts";

export interface Setting {
  readonly name: string;
  readonly value: string;
  /** The file that sets it; absent where the caller did. `OUTER_FILE` if an outer sophia-run had it from one. */
  readonly file?: string | undefined;
}

/** Returns true for a setting that may say where a credential goes: the caller's, or one of the credential's own file. */
export function isTrustedFor({ file }: Setting, credentialFile: string | undefined): boolean {
  return file === undefined || (file === credentialFile && file !== OUTER_FILE);
}

type Place = (name: string) => Setting | undefined;

/** Looks variables up in the process environment, then in the files. Empty ones count as unset. */
export class Variables {
  readonly #places: readonly Place[];

  constructor(environment: Environment, dotenv: readonly Layer[]) {
    this.#places = [inProcess(environment), ...dotenv.map(inFile)];
  }

  /** Each setting of any of the names: by precedence of the place, then in the order of the names. */
  all(...names: readonly string[]): readonly Setting[] {
    return this.#places
      .flatMap((place) => names.flatMap((name) => place(name) ?? []))
      .filter(({ value }) => value !== "");
  }

  find(name: string): Setting | undefined {
    return this.all(name)[0];
  }

  findInProcess(name: string): Setting | undefined {
    return this.all(name).find(({ file }) => file === undefined);
  }
}

function inProcess(environment: Environment): Place {
  const fromFiles = namesFromFiles(environment);
  return (name) => {
    const value = environment.get(name);
    if (value === undefined) return undefined;
    return { name, value, file: fromFiles.has(name) ? OUTER_FILE : undefined };
  };
}

function inFile({ variables }: Layer): Place {
  const byName = new Map(variables.map((variable) => [variable.name, variable]));
  return (name) => {
    const found = byName.get(name);
    return found?.origin.source === "dotenv" ? { name, value: found.value, file: found.origin.file } : undefined;
  };
}

/** Names a setting in messages: `ESC_ENV in .env`. */
export function labelOf({ name, file }: Setting): string {
  return file === undefined ? name : `${name} in ${printable(file)}`;
}

export function invalidSetting(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "esc-settings", message, hint });
}
