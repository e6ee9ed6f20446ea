/**
 * The reports of `enforce`: the result of a check, the difference that a change makes, and the limits of a schema. Pure.
 */
import { enumerateFew, type Line } from "../../core/lines.ts";
import { type EnvironmentState, formatRevision } from "../../esc/api/change.ts";
import { entryOf, type ValuesEntry } from "../../esc/definition/edit-entry.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { blockDiff } from "./block-diff.ts";
import type { SchemaChange } from "./schema-change.ts";

/** The report of `--check`. */
export function checkLines({ edited, entry, key }: SchemaChange, current: EnvironmentState): readonly Line[] {
  const environment = formatRevision(current);
  if (edited === undefined) return [`✅ ${environment} is checked by this contract.`];
  const fault = entry === undefined ? "is missing" : "is not what the contract gives";
  return [
    `❌ ${environment}: the schema values.${key} ${fault}. To write it:`,
    { text: `   sophia-run enforce --in ${formatName(current.name)}`, neverWraps: true },
  ];
}

/** Returns a unified diff of the schema alone, so that no value beside it is shown. */
export function diffLines({ entry, edited, key }: SchemaChange, current: EnvironmentState): readonly Line[] {
  const editedEntry = edited === undefined ? undefined : entryOf(edited, key);
  // A schema that is added or removed has the same place before and after the change.
  const line = entry?.line ?? editedEntry?.line ?? 1;
  const before = { lines: linesOf(entry), line };
  const after = { lines: linesOf(editedEntry), line: editedEntry?.line ?? line };
  const texts = [`--- ${formatRevision(current)}`, `+++ ${formatName(current.name)}`, ...blockDiff(before, after)];
  return texts.map((text) => ({ text, neverWraps: true }));
}

function linesOf(entry: ValuesEntry | undefined): readonly string[] {
  return entry === undefined ? [] : entry.text.split(/\r?\n/);
}

const MAX_NAMES = 12;

/** Returns a line for each rule that a schema cannot express, so that only a start checks it. */
export function gapLines({ schemaOfContract: { gaps } }: SchemaChange): readonly Line[] {
  return Array.from(gaps, ([rule, names]) => ({
    text: `➖ checked at a start only: ${rule} (${enumerateFew(names, MAX_NAMES)})`,
    hangingIndent: 3,
  }));
}
