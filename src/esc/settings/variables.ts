/**
 * Looks up the settings of ESC, such as `ESC_ENV`, in the process environment and in `.env` files. Each setting has the file that
 * sets it, because the file decides whether the setting is trusted (`isTrustedFor`). The caller is the process that starts
 * sophia-run.
 */
import { SophiaError } from "../../core/error.ts";
import type { Environment, Layer } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { namesFromFiles, OUTER_FILE } from "./from-files.ts";

/** A variable that is set, and the file that sets it. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** The file that sets it, or `OUTER_FILE` if an outer sophia-run has read it from a file; absent if the caller set it. */
  readonly file?: string | undefined;
}

/**
 * Returns true if a setting may decide where a credential is sent. It may if the caller set it, or if it comes from the same file
 * as the credential. Another file, which may come with a cloned repository, could redirect the credential to a server of its
 * author. `OUTER_FILE` never matches, because two settings from an outer sophia-run may come from different files.
 *
 * @param credentialFile the file that sets the token itself; undefined if no file does
 */
export function isTrustedFor({ file }: Setting, credentialFile: string | undefined): boolean {
  return file === undefined || (file === credentialFile && file !== OUTER_FILE);
}

/**
 * Looks up variables by name: first in the process environment, then in the files. A variable with an empty value is treated as
 * unset, so that the next source may set it.
 *
 *     new VariableLookup(environment, dotenvLayers).find("ESC_ENV"); // { name: "ESC_ENV", value: "acme/dev", file: ".env" }
 */
export class VariableLookup {
  /** The look-ups of the sources, in the order of their precedence. */
  readonly #lookups: readonly ((name: string) => Setting | undefined)[];

  constructor(environment: Environment, dotenv: readonly Layer[]) {
    const fromFiles = namesFromFiles(environment);
    this.#lookups = [
      (name) => {
        const value = environment.get(name);
        return value === undefined ? undefined : { name, value, file: fromFiles.has(name) ? OUTER_FILE : undefined };
      },
      ...dotenv.map(({ variables }) => (name: string): Setting | undefined => {
        const variable = variables.find((candidate) => candidate.name === name);
        if (variable?.origin.source !== "dotenv") return undefined;
        return { name, value: variable.value, file: variable.origin.file };
      }),
    ];
  }

  /**
   * Returns every setting of these names: by the precedence of the sources, and within a source in the order of the names.
   */
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

  /** Returns the setting that wins. */
  find(name: string): Setting | undefined {
    return this.all(name)[0];
  }

  /** Returns the setting of the process environment, unless an outer sophia-run has read it from a file. */
  findInProcess(name: string): Setting | undefined {
    return this.all(name).find(({ file }) => file === undefined);
  }
}

/** Returns the name of a setting for messages, such as `ESC_ENV in .env`. */
export function labelOf({ name, file }: Pick<Setting, "name" | "file">): string {
  return file === undefined ? name : `${name} in ${printable(file)}`;
}

/**
 * Refuses a value in quotes. They are a part of the value if it comes from `docker run --env-file`, for example.
 * @throws SophiaError (esc-settings, 125)
 */
export function refuseQuotes(setting: Setting): void {
  if (!/^(["'])[^]*\1$/.test(setting.value.trim())) return;
  throw invalidSetting(
    `${labelOf(setting)} begins and ends with a quote`,
    "write it without quotes: docker run --env-file makes them a part of the value",
  );
}

/** Returns the error for a malformed setting of ESC. */
export function invalidSetting(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "esc-settings", message, hint });
}
