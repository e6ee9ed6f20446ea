import type { Environment, Layer } from "../../core/model.ts";

/** A variable that steers ESC. */
export interface Setting {
  readonly value: string;
  /** The `.env` file that it stands in; absent for the process environment. */
  readonly file?: string;
}

type Find = (name: string) => Setting | undefined;

/** Looks variables up in the process environment, then in the files. Empty ones count as unset. */
export class Variables {
  readonly #scopes: readonly Find[];

  constructor(environment: Environment, dotenv: readonly Layer[]) {
    this.#scopes = [processScope(environment), ...dotenv.map(fileScope)];
  }

  /** One look-up for each place, the highest precedence first. */
  scopes(): readonly Find[] {
    return this.#scopes;
  }

  find(name: string): Setting | undefined {
    return first(this.#scopes, name, () => true);
  }

  ofProcess(name: string): string | undefined {
    return this.#scopes[0]?.(name)?.value;
  }

  /** Looks up what decides where a token travels: files other than `file` have no say. */
  trusting(file: string | undefined): {
    readonly find: Find;
    /** The files that wanted a say, higher ones than the one that has it. */
    readonly refused: (name: string) => readonly string[];
  } {
    const mayDecide = (setting: Setting): boolean => setting.file === undefined || setting.file === file;
    return {
      find: (name) => first(this.#scopes, name, mayDecide),
      refused: (name) => {
        const files: string[] = [];
        for (const scope of this.#scopes) {
          const setting = scope(name);
          if (setting === undefined) continue;
          if (mayDecide(setting)) break;
          if (setting.file !== undefined) files.push(setting.file);
        }
        return [...new Set(files)];
      },
    };
  }
}

function first(scopes: readonly Find[], name: string, accept: (setting: Setting) => boolean): Setting | undefined {
  for (const scope of scopes) {
    const setting = scope(name);
    if (setting !== undefined && accept(setting)) return setting;
  }
  return undefined;
}

function processScope(environment: Environment): Find {
  return (name) => {
    const value = environment.get(name);
    return value === undefined || value === "" ? undefined : { value };
  };
}

/** The index is made on the first look-up. */
function fileScope(layer: Layer): Find {
  let index: Map<string, Setting> | undefined;
  return (name) => {
    if (index === undefined) {
      index = new Map();
      for (const { name: key, value, origin } of layer.variables) {
        if (value !== "" && origin.source === "dotenv") index.set(key, { value, file: origin.file });
      }
    }
    return index.get(name);
  };
}
