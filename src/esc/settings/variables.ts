import { SophiaError } from "../../core/error.ts";
import type { Environment, Layer } from "../../core/model.ts";
import { printable } from "../../core/text.ts";

/** A variable that configures ESC. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** The `.env` file that sets it; absent for the process environment. */
  readonly file?: string;
}

type Place = (name: string) => Setting | undefined;

/** Looks variables up in the process environment, then in the files. Empty ones count as unset. */
export class Variables {
  /** The highest precedence first. */
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
  return (name) => {
    const value = environment.get(name);
    return value === undefined ? undefined : { name, value };
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

/** The error of a malformed setting. */
export function invalidSetting(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "esc-settings", message, hint });
}
