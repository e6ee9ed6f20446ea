/** Parses the options of `enforce`: what the user wants it to do with the schema of an environment. */
import type { Values } from "../../command-line/options.ts";
import type { SchemaRequest } from "../parts/enforcement/schema-entry.ts";
import { conflict, usageError } from "../parts/usage-errors.ts";

export interface EnforceRequest extends SchemaRequest {
  readonly purpose: "write" | "check" | "remove";
}

/** Entries of `values` to which ESC gives a meaning. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(["environmentVariables", "files", "pulumiConfig"]);

/** @throws SophiaError (usage, 125) for options that exclude each other, or a name that cannot be a key */
export function parseRequest(options: Values): EnforceRequest {
  const isCheck = options["check"] === true;
  const isRemove = options["remove"] === true;
  if (isCheck && isRemove) throw conflict("--check", "--remove");
  const key = typeof options["key"] === "string" ? options["key"] : undefined;
  if (key !== undefined) requireKey(key);
  const selection = { only: listOf(options["only"]), except: listOf(options["except"]) };
  // Without these options, a check is about the variables that the schema was written for.
  const usesWrittenSelection = isCheck && selection.only.length + selection.except.length === 0;
  const purpose = isCheck ? "check" : isRemove ? "remove" : "write";
  return { purpose, key, selection: usesWrittenSelection ? undefined : selection };
}

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

function listOf(value: Values[string]): readonly string[] {
  return Array.isArray(value) ? value : [];
}
