/** The words for sources and for the places of values in them. Loaded only for reports. */
import type { Origin, SourceId } from "../core/model.ts";
import { durationWords, printable } from "../core/text.ts";
import type { EscEnvironment } from "../sources/esc-failure.ts";

interface SourceWords<OriginOfIt extends Origin> {
  readonly label: string;
  place(origin: OriginOfIt): string;
}

const WORDS: { readonly [Id in SourceId]: SourceWords<Extract<Origin, { readonly source: Id }>> } = {
  override: { label: ".env.override", place: lineWords },
  esc: {
    label: "ESC",
    place: ({ environment, importedFrom, ...rest }) => {
      return `ESC ${environmentWords({ name: environment, ...rest })}${importedFrom === undefined ? "" : `, imported from ${printable(importedFrom)}`}`;
    },
  },
  environment: {
    label: "environment",
    place: ({ read }) =>
      `the process environment${read === undefined ? "" : `, ${printable(read.by)}: ${printable(read.file)}`}`,
  },
  secrets: { label: "the secrets folder", place: ({ file }) => printable(file) },
  dotenv: { label: ".env", place: lineWords },
  contract: { label: "the contract's defaults", place: () => "the contract's default" },
  fake: { label: "dummy values", place: () => "a dummy value (--fake)" },
};

function lineWords({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${printable(file)}:${line}`;
}

/** `acme/sophia/dev@12`, `acme/sophia/dev@stable, revision 12`, `acme/sophia/dev@12 (cached, 5 min old)`. */
export function environmentWords({ name, version, revision, ageSeconds }: EscEnvironment): string {
  const at = version ?? revision;
  const opened =
    version === undefined || revision === undefined || version === revision ? "" : `, revision ${revision}`;
  return `${name}${at === undefined ? "" : `@${at}`}${opened}${ageSeconds === undefined ? "" : ` (${cacheWords(ageSeconds)})`}`;
}

export function cacheWords(ageSeconds: number): string {
  return `cached, ${durationWords(ageSeconds)} old`;
}

/** Describes a source by itself. */
export function labelOf(id: SourceId): string {
  return wordsOf(id).label;
}

/** Describes the origin of a value, with its name there if that is different. */
export function originWords(origin: Origin): string {
  return wordsOf(origin.source).place(origin) + (origin.alias === undefined ? "" : `, as ${origin.alias}`);
}

function wordsOf(id: SourceId): SourceWords<Origin> {
  return WORDS[id];
}
