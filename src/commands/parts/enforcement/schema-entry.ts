/** The entry of `values` by which an ESC environment checks a contract: what it must be, and which one a definition has. Pure. */
import {
  type ContractSchema,
  contractSchema,
  describeWriter,
  selectionIn,
} from "../../../contract/esc-schema/contract-schema.ts";
import type { Selection } from "../../../contract/esc-schema/contract-schema.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import { entriesOf, printOfLines, type ValuesEntry } from "../../../esc/definition/edit-entry.ts";
import { createMatcher } from "../../../resolve/name-globs.ts";
import { isOwnVariable } from "../../../resolve/reserved-names.ts";
import { validationLines } from "./schema-text.ts";

/** The key of the entry, unless the user chooses another one. */
const USUAL_KEY = "contract";

export interface SchemaState {
  readonly key: string;
  /** The entry that the definition has now. */
  readonly entry: ValuesEntry | undefined;
  readonly translated: ContractSchema;
  /** The lines below the key, if the entry is what the contract gives. */
  readonly lines: readonly string[];
  readonly isEnforced: (name: string) => boolean;
  /** `differs`: the contract, or what of it is enforced, has changed since the entry was written. */
  readonly state: "missing" | "differs" | "current";
}

export interface SchemaRequest {
  /** The user's choice of a key. Without one it is that of the entry that `enforce` has written, else {@link USUAL_KEY}. */
  readonly key?: string | undefined;
  /** The variables that the schema must check. Without it, those that the entry was written for, else all. */
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
  const written = Array.from(entries).find(([, entry]) => selectionOf(entry) !== undefined)?.[0];
  const key = wanted.key ?? written ?? USUAL_KEY;
  const entry = entries.get(key);
  const earlier = entry === undefined ? undefined : selectionOf(entry);
  if (entry !== undefined && earlier === undefined) {
    throw new SophiaError({
      code: "esc-edit",
      message: `values.${key} of the definition is not a schema of sophia-run`,
      hint: "choose another name for the schema: --key NAME",
    });
  }
  const selection = wanted.selection ?? earlier ?? { only: [], except: [] };
  const isIncluded = selection.only.length === 0 ? (): boolean => true : createMatcher(selection.only);
  const isExcluded = createMatcher(selection.except);
  const isEnforced = (name: string): boolean => isIncluded(name) && !isExcluded(name) && !isOwnVariable(name);
  const description = describeWriter(selection);
  const translated = contractSchema(contract, { isEnforced, files, title: titleOf(contract), description });
  const lines = validationLines(translated.schema, 0);
  const isSame = entry !== undefined && JSON.stringify(entry.print) === JSON.stringify(printOfLines(lines));
  const state = entry === undefined ? "missing" : isSame ? "current" : "differs";
  return { key, entry, translated, lines, isEnforced, state };
}

/** Returns what an entry that `enforce` has written was written for; undefined for another entry. */
function selectionOf({ print }: ValuesEntry): Selection | undefined {
  // A map of one function; its schema has the description.
  const [, validation] = pairsOf(print).find(([key]) => key === "s fn::validate") ?? [];
  const [, schema] = pairsOf(validation).find(([key]) => key === "s schema") ?? [];
  const [, description] = pairsOf(schema).find(([key]) => key === "s description") ?? [];
  return typeof description === "string" ? selectionIn(description.slice("s ".length)) : undefined;
}

type Printed = ValuesEntry["print"];

function pairsOf(print: Printed | undefined): readonly (readonly [Printed, Printed])[] {
  if (typeof print !== "object" || print[0] !== "map") return [];
  return print.slice(1).flatMap((pair) => {
    const [key, value] = typeof pair === "object" ? pair : [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
}

/** Returns what readers of the definition know the contract by. */
function titleOf({ source, name }: Contract): string {
  if (name !== undefined) return name;
  return source.kind === "file" ? "sophia.contract.json" : "the built-in contract of sophia-run";
}
