/**
 * Parses the options of `sophia-run enforce`: whether to write, check or remove the schema of an environment, its key, and the
 * variables that it checks.
 *
 *     sophia-run enforce --only 'DB_*'      {purpose: "write", key: undefined, selection: {only: ["DB_*"], except: []}}
 */
import type { Values } from "../../command-line/options.ts";
import { canMatchVariable } from "../../contract/esc-schema/contract-schema.ts";
import type { SchemaOptions } from "../parts/enforcement/schema-entry.ts";
import { conflictError, usageError } from "../parts/usage-errors.ts";

export interface EnforceRequest extends SchemaOptions {
  readonly purpose: "write" | "check" | "remove";
}

/** The keys of `values` to which ESC itself gives a meaning. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(["environmentVariables", "files", "pulumiConfig"]);

/**
 * @throws SophiaError (usage, 125) for options that exclude each other, for a name that cannot be a key, or for a useless
 * `--only`
 */
export function parseRequest(options: Values): EnforceRequest {
  const isCheck = options["check"] === true;
  const isRemove = options["remove"] === true;
  if (isCheck && isRemove) throw conflictError("--check", "--remove");
  const key = typeof options["key"] === "string" ? options["key"] : undefined;
  if (key !== undefined) requireKey(key);
  const selection = { only: listGlobs(options["only"]), except: listGlobs(options["except"]) };
  if (isRemove) return { purpose: "remove", key, selection };
  if (options["only"] !== undefined && !selection.only.some(canMatchVariable)) {
    // The schema would check nothing, and record no selection, so that a later `--check` would compare it with the whole
    // contract.
    throw usageError("--only matches no name of a variable", "* stands for any characters, ? for one: --only 'DB_*'");
  }
  if (!isCheck) return { purpose: "write", key, selection };
  // Without these options, a check is about the variables that the schema was written for.
  const usesWrittenSelection = options["only"] === undefined && options["except"] === undefined;
  return { purpose: "check", key, selection: usesWrittenSelection ? undefined : selection };
}

/** @throws SophiaError (usage, 125) for a key that the schema cannot have */
function requireKey(key: string): void {
  if (!/^[A-Za-z_][\w-]*$/.test(key)) {
    throw usageError("--key takes a name of letters, digits, _ and -", "leave it out for the key contract");
  }
  if (RESERVED_KEYS.has(key)) {
    throw usageError(
      `--key: ESC itself gives ${key} a meaning`,
      "choose another name, or leave it out for the key contract",
    );
  }
}

/**
 * Returns the globs of an option. The user may give the option several times, and each time with several globs:
 * `--only PORT,LOG_*`, as the schema records them.
 */
function listGlobs(option: Values[string]): readonly string[] {
  return Array.isArray(option) ? option.flatMap((globs) => globs.split(",")) : [];
}
