import { SophiaError } from "../../core/error.ts";
import type { Environment, Layer } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { namesFromFiles, OUTER_FILE } from "./from-files.ts";

export interface Setting {
  readonly name: string;
  readonly value: string;
  /** The file that sets it, or `OUTER_FILE`; absent for a setting of the caller. */
  readonly file?: string | undefined;
}

/** Returns true if a setting may decide where a credential is sent: the caller's, or one of the credential's file. */
export function isTrustedFor({ file }: Setting, credentialFile: string | undefined): boolean {
  return file === undefined || (file === credentialFile && file !== OUTER_FILE);
}

/** Looks variables up in the process environment, then in the files. Empty ones count as unset. */
export class Variables {
  readonly #lookups: readonly ((name: string) => Setting | undefined)[];

  constructor(environment: Environment, dotenv: readonly Layer[]) {
    const fromFiles = namesFromFiles(environment);
    this.#lookups = [
      (name) => {
        const value = environment.get(name);
        return value === undefined ? undefined : { name, value, file: fromFiles.has(name) ? OUTER_FILE : undefined };
      },
      ...dotenv.map(({ variables }) => (name: string): Setting | undefined => {
        const found = variables.find((variable) => variable.name === name);
        return found?.origin.source === "dotenv" ? { name, value: found.value, file: found.origin.file } : undefined;
      }),
    ];
  }

  /** Returns each setting of any of the names: first by precedence, then in the order of the names. */
  all(...names: readonly string[]): readonly Setting[] {
    const settings: Setting[] = [];
    for (const lookUp of this.#lookups) {
      for (const name of names) {
        const setting = lookUp(name);
        if (setting !== undefined && setting.value !== "") settings.push(setting);
      }
    }
    return settings;
  }

  find(name: string): Setting | undefined {
    return this.all(name)[0];
  }

  findInProcess(name: string): Setting | undefined {
    return this.all(name).find(({ file }) => file === undefined);
  }
}

/** Returns the name of a setting for messages, with its file if it is from one. */
export function labelOf({ name, file }: Pick<Setting, "name" | "file">): string {
  return file === undefined ? name : `${name} in ${printable(file)}`;
}

/** Refuses a value in quotes, which `docker run --env-file` keeps. @throws SophiaError (esc-settings, 125) */
export function refuseQuotes(setting: Setting): void {
  if (!/^(["'])[^]*\1$/.test(setting.value.trim())) return;
  throw invalidSetting(
    `${labelOf(setting)} begins and ends with a quote`,
    "write it without quotes: docker run --env-file makes them a part of the value",
  );
}

export function invalidSetting(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "esc-settings", message, hint });
}
