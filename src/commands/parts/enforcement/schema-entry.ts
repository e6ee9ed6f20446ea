/**
 * Compares the schema that an ESC environment has with the one that the contract gives; pure. `enforce` writes the schema as an
 * entry of `values` in the environment's definition, and `audit` reports if it is missing or differs. The entry's description
 * (`describeWriter`) marks it as written by `enforce`, and stores the variables that the user selected.
 */
import {
  type ContractSchema,
  contractSchema,
  describeWriter,
  selectionIn,
} from "../../../contract/esc-schema/contract-schema.ts";
import type { Selection } from "../../../contract/esc-schema/contract-schema.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import { entriesOf, fingerprintOfLines, type ValuesEntry } from "../../../esc/definition/edit-entry.ts";
import { createMatcher } from "../../../resolve/name-globs.ts";
import { isOwnVariable } from "../../../resolve/reserved-names.ts";
import { validationLines } from "./schema-text.ts";

/** The key of the entry, unless the user chooses another key. */
const DEFAULT_KEY = "contract";

export interface SchemaState {
  readonly key: string;
  /** The entry that the definition has now; undefined if it has none with this key. */
  readonly entry: ValuesEntry | undefined;
  readonly translated: ContractSchema;
  /** The lines that must stand below the key, so that the entry is what the contract gives. */
  readonly lines: readonly string[];
  /** Returns true if the schema checks the variable. */
  readonly isEnforced: (name: string) => boolean;
  /** `differs`: since the entry was written, the contract or the selection of variables has changed. */
  readonly state: "missing" | "differs" | "current";
}

export interface SchemaRequest {
  /** The user's key. Without it the key of the entry that `enforce` has written is used, or else {@link DEFAULT_KEY}. */
  readonly key?: string | undefined;
  /** The variables that the schema must check. Without it they are those of the earlier entry, or else all. */
  readonly selection?: Selection | undefined;
}

/**
 * Compares the entry of a definition with the one that a contract gives.
 *
 * @param files the variables that `values.files` of the environment supplies
 * @throws SophiaError (esc-edit, 125) if the key belongs to another entry, or for a definition of an unusual form
 */
export function schemaState(
  contract: Contract,
  yaml: string,
  files: ReadonlySet<string>,
  wanted: SchemaRequest = {},
): SchemaState {
  const entries = entriesOf(yaml);
  const [writtenKey] = Array.from(entries).find(([, candidate]) => findSelection(candidate) !== undefined) ?? [];
  const key = wanted.key ?? writtenKey ?? DEFAULT_KEY;
  const entry = entries.get(key);
  const earlierSelection = entry === undefined ? undefined : findSelection(entry);
  if (entry !== undefined && earlierSelection === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: `values.${key} of the definition is not a schema of sophia-run`,
      hint: "choose another name for the schema: --key NAME",
    });
  }
  const selection = wanted.selection ?? earlierSelection ?? { only: [], except: [] };
  const isIncluded = selection.only.length === 0 ? (): boolean => true : createMatcher(selection.only);
  const isExcluded = createMatcher(selection.except);
  const isEnforced = (name: string): boolean => isIncluded(name) && !isExcluded(name) && !isOwnVariable(name);
  const description = describeWriter(selection);
  const translated = contractSchema(contract, { isEnforced, files, title: titleOf(contract), description });
  const lines = validationLines(translated.schema, 0);
  return { key, entry, translated, lines, isEnforced, state: compareEntry(entry, lines) };
}

/** Compares meanings, not texts: the definition may have other spaces, quotes and comments. */
function compareEntry(entry: ValuesEntry | undefined, lines: readonly string[]): SchemaState["state"] {
  if (entry === undefined) return "missing";
  const isEqual = JSON.stringify(entry.fingerprint) === JSON.stringify(fingerprintOfLines(lines));
  return isEqual ? "current" : "differs";
}

/**
 * Returns the selection of variables that an entry was written for; undefined for an entry that `enforce` has not written.
 * The selection is in `fn::validate`, `schema`, `description`. In a fingerprint each string has the prefix `s `.
 */
function findSelection({ fingerprint }: ValuesEntry): Selection | undefined {
  const [, validation] = mapEntries(fingerprint).find(([key]) => key === "s fn::validate") ?? [];
  const [, schema] = mapEntries(validation).find(([key]) => key === "s schema") ?? [];
  const [, description] = mapEntries(schema).find(([key]) => key === "s description") ?? [];
  return typeof description === "string" ? selectionIn(description.slice("s ".length)) : undefined;
}

type Fingerprint = ValuesEntry["fingerprint"];

/** Returns the keys and values of the fingerprint of a map, `["map", [key, value], …]`; none for another node. */
function mapEntries(fingerprint: Fingerprint | undefined): readonly (readonly [Fingerprint, Fingerprint])[] {
  if (typeof fingerprint !== "object" || fingerprint[0] !== "map") return [];
  return fingerprint.slice(1).flatMap((pair) => {
    const [key, value] = typeof pair === "object" ? pair : [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
}

/** Returns the title of the schema, by which people recognize the contract in the definition. */
function titleOf({ source, name }: Contract): string {
  if (name !== undefined) return name;
  return source.kind === "file" ? "sophia.contract.json" : "the built-in contract of sophia-run";
}
