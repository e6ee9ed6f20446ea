/**
 * Compares the schema in the definition of an ESC environment with the schema that follows from the contract. `enforce` writes that
 * schema, as an entry below `values` of the definition, so that ESC refuses values that do not meet the contract. `audit` reports a
 * missing or outdated schema. The entry's description (`describeSchemaWriter`) says that `enforce` has written it, and stores which
 * variables the user selected.
 */
import {
  type ContractSchema,
  createContractSchema,
  describeSchemaWriter,
  type EnforcedGlobs,
  parseDescription,
} from "../../../contract/esc-schema/contract-schema.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import { readEntries, fingerprintOfLines, type ValuesEntry } from "../../../esc/definition/edit-entry.ts";
import { createMatcher } from "../../../resolve/name-globs.ts";
import { isOwnVariable } from "../../../resolve/reserved-names.ts";
import { formatValidation } from "./schema-text.ts";

/** The key below `values`, unless the user chooses another key. */
const DEFAULT_KEY = "contract";

export interface SchemaComparison {
  readonly key: string;
  /** The entry that the definition has now; undefined if it has none with this key. */
  readonly entry: ValuesEntry | undefined;
  /** The schema that follows from the contract. */
  readonly schemaOfContract: ContractSchema;
  /** The YAML of that schema: the lines of an up-to-date entry below its key. */
  readonly expectedLines: readonly string[];
  /** Returns true if the schema checks the variable. */
  readonly isEnforced: (name: string) => boolean;
  /** `differs` means that the contract or the selection of variables has changed since the entry was written. */
  readonly state: "missing" | "differs" | "current";
}

export interface SchemaOptions {
  /** The user's key; by default the key of the entry that `enforce` has written, or {@link DEFAULT_KEY} if there is none. */
  readonly key?: string | undefined;
  /** The variables that the schema must check; by default those of the existing entry, or all if there is none. */
  readonly selection?: EnforcedGlobs | undefined;
}

/**
 * Compares the schema in a definition with the schema that follows from a contract.
 *
 * @param yaml the definition
 * @param files the names of the variables that the environment supplies as files (`values.files`)
 * @throws SophiaError (esc-edit, 125) if the key belongs to an entry that `enforce` has not written, or if sophia-run cannot edit
 *   the definition
 */
export function compareSchema(
  contract: Contract,
  yaml: string,
  files: ReadonlySet<string>,
  request: SchemaOptions = {},
): SchemaComparison {
  const entries = readEntries(yaml);
  const [writtenKey] =
    Array.from(entries).find(([, candidateEntry]) => findSelection(candidateEntry) !== undefined) ?? [];
  const key = request.key ?? writtenKey ?? DEFAULT_KEY;
  const entry = entries.get(key);
  const existingSelection = entry === undefined ? undefined : findSelection(entry);
  if (entry !== undefined && existingSelection === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: `values.${key} of the definition is not a schema of sophia-run`,
      hint: "choose another name for the schema: --key NAME",
    });
  }
  const selection = request.selection ?? existingSelection ?? { only: [], except: [] };
  const isIncluded = selection.only.length === 0 ? (): boolean => true : createMatcher(selection.only);
  const isExcluded = createMatcher(selection.except);
  const isEnforced = (name: string): boolean => isIncluded(name) && !isExcluded(name) && !isOwnVariable(name);
  const description = describeSchemaWriter(selection);
  const schemaOfContract = createContractSchema(contract, {
    isEnforced,
    variablesFromFiles: files,
    title: createSchemaTitle(contract),
    description,
  });
  const expectedLines = formatValidation(schemaOfContract.schema, 0);
  return { key, entry, schemaOfContract, expectedLines, isEnforced, state: compareEntry(entry, expectedLines) };
}

/** Compares the parsed YAML, because the user may have changed spaces, quotes and comments. */
function compareEntry(entry: ValuesEntry | undefined, lines: readonly string[]): SchemaComparison["state"] {
  if (entry === undefined) return "missing";
  const isEqual = JSON.stringify(entry.fingerprint) === JSON.stringify(fingerprintOfLines(lines));
  return isEqual ? "current" : "differs";
}

/**
 * Returns the selection of variables that the description of a schema stores; undefined for an entry that `enforce` has not
 * written. The description has the path `fn::validate`, `schema`, `description`. In a fingerprint each string has the prefix `s `.
 */
function findSelection({ fingerprint }: ValuesEntry): EnforcedGlobs | undefined {
  const [, validation] = listMapEntries(fingerprint).find(([key]) => key === "s fn::validate") ?? [];
  const [, schema] = listMapEntries(validation).find(([key]) => key === "s schema") ?? [];
  const [, description] = listMapEntries(schema).find(([key]) => key === "s description") ?? [];
  return typeof description === "string" ? parseDescription(description.slice("s ".length)) : undefined;
}

type Fingerprint = ValuesEntry["fingerprint"];

/** Returns the keys and values of the fingerprint of a map, `["map", [key, value], …]`; none for another node. */
function listMapEntries(fingerprint: Fingerprint | undefined): readonly (readonly [Fingerprint, Fingerprint])[] {
  if (typeof fingerprint !== "object" || fingerprint[0] !== "map") return [];
  return fingerprint.slice(1).flatMap((pair) => {
    const [key, value] = typeof pair === "object" ? pair : [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
}

/** Returns the title of the schema, by which the readers of the definition recognize the contract. */
function createSchemaTitle({ source, name }: Contract): string {
  if (name !== undefined) return name;
  return source.kind === "file" ? "sophia.contract.json" : "the built-in contract of sophia-run";
}
