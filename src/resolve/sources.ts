import { durationWords, printable } from "../core/text.ts";
import type { EscEnvironment } from "../sources/esc.ts";
import type { Origin, SourceId } from "../core/model.ts";

interface Source<OriginOfIt extends Origin> {
  readonly label: string;
  /** Decides which options withhold its values. */
  readonly givenBy: "caller" | "configuration" | "contract";
  place(origin: OriginOfIt): string;
}

/** Every source. `PRECEDENCE` has their order. */
const SOURCES: { readonly [Id in SourceId]: Source<Extract<Origin, { readonly source: Id }>> } = {
  override: { label: ".env.override", givenBy: "configuration", place: lineWords },
  esc: {
    label: "ESC",
    givenBy: "configuration",
    place: ({ environment, importedFrom, ...rest }) => {
      return `ESC ${environmentWords({ name: environment, ...rest })}${importedFrom === undefined ? "" : `, imported from ${printable(importedFrom)}`}`;
    },
  },
  environment: {
    label: "environment",
    givenBy: "caller",
    place: ({ read }) =>
      `the process environment${read === undefined ? "" : `, ${printable(read.by)}: ${printable(read.file)}`}`,
  },
  secrets: { label: "the secrets folder", givenBy: "configuration", place: ({ file }) => printable(file) },
  dotenv: { label: ".env", givenBy: "configuration", place: lineWords },
  contract: { label: "the contract's defaults", givenBy: "contract", place: () => "the contract's default" },
  fake: { label: "dummy values", givenBy: "contract", place: () => "a dummy value (--fake)" },
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

export function sourceOf(id: SourceId): Source<Origin> {
  return SOURCES[id];
}

/** Describes the origin of a value, with its name there if that is different. */
export function originWords(origin: Origin): string {
  return sourceOf(origin.source).place(origin) + (origin.alias === undefined ? "" : `, as ${origin.alias}`);
}
