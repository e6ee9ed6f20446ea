/**
 * Writes the reports of `sophia-run enforce`: the result of a check, the difference that a change makes, and the rules that a schema
 * cannot express. This file has no side effects.
 *
 *     ❌ acme/app/dev@7: the schema values.contract is missing. To write it:
 *        sophia-run enforce --in acme/app/dev
 */
import { enumerateFew, type Line } from "../../core/lines.ts";
import { type EnvironmentState, formatRevision } from "../../esc/api/change.ts";
import { findEntry, type ValuesEntry } from "../../esc/definition/edit-entry.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { diffBlocks } from "./block-diff.ts";
import type { SchemaChange } from "./schema-change.ts";

/** Returns the report of `--check`: whether the environment has the schema that follows from the contract. */
export function checkLines({ editedYaml, entry, key }: SchemaChange, current: EnvironmentState): readonly Line[] {
  const environment = formatRevision(current);
  if (editedYaml === undefined) return [`✅ ${environment} is checked by this contract.`];
  const fault = entry === undefined ? "is missing" : "is not what the contract gives";
  return [
    `❌ ${environment}: the schema values.${key} ${fault}. To write it:`,
    { text: `   sophia-run enforce --in ${formatName(current.name)}`, neverWraps: true },
  ];
}

/** Returns a unified diff of the schema alone, so that no value beside it is shown. */
export function createDiffLines({ entry, editedYaml, key }: SchemaChange, current: EnvironmentState): readonly Line[] {
  const editedEntry = editedYaml === undefined ? undefined : findEntry(editedYaml, key);
  // A schema that is added or removed has the same place before and after the change.
  const firstLine = entry?.line ?? editedEntry?.line ?? 1;
  const before = { lines: linesOf(entry), firstLine };
  const after = { lines: linesOf(editedEntry), firstLine: editedEntry?.line ?? firstLine };
  const texts = [`--- ${formatRevision(current)}`, `+++ ${formatName(current.name)}`, ...diffBlocks(before, after)];
  return texts.map((text) => ({ text, neverWraps: true }));
}

function linesOf(entry: ValuesEntry | undefined): readonly string[] {
  return entry === undefined ? [] : entry.text.split(/\r?\n/);
}

/** The limit on the names of variables in one line; the others are counted. */
const MAX_NAMES = 12;

/** Returns a line for each rule that a schema cannot express, so that only a start checks it. */
export function createGapLines({ schemaOfContract: { gaps } }: SchemaChange): readonly Line[] {
  return Array.from(gaps, ([rule, names]) => ({
    text: `➖ checked at a start only: ${rule} (${enumerateFew(names, MAX_NAMES)})`,
    hangingIndent: 3,
  }));
}
