/** Describes sources, and the locations of values in them, for the user. Loaded only for reports. */
import type { Origin, SourceId } from "../core/model.ts";
import { durationWords, printable } from "../core/text.ts";
import type { EscEnvironment } from "../sources/esc-failure.ts";

interface SourceWords<OriginOfSource extends Origin> {
  readonly label: string;
  /** Describes the location of a value. */
  describe(origin: OriginOfSource): string;
}

const WORDS: { readonly [Id in SourceId]: SourceWords<Extract<Origin, { readonly source: Id }>> } = {
  override: { label: ".env.override", describe: lineWords },
  esc: {
    label: "ESC",
    describe: ({ environment, importedFrom, ...rest }) => {
      const imported = importedFrom === undefined ? "" : `, imported from ${printable(importedFrom)}`;
      return `ESC ${environmentWords({ name: environment, ...rest })}${imported}`;
    },
  },
  environment: {
    label: "environment",
    describe: ({ read }) => {
      const file = read === undefined ? "" : `, ${printable(read.by)}: ${printable(read.file)}`;
      return `the process environment${file}`;
    },
  },
  secrets: { label: "the secrets folder", describe: ({ file }) => printable(file) },
  dotenv: { label: ".env", describe: lineWords },
  contract: { label: "the contract's defaults", describe: () => "the contract's default" },
  fake: { label: "dummy values", describe: () => "a dummy value (--fake)" },
};

function lineWords({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${printable(file)}:${line}`;
}

/** Returns `acme/sophia/dev@12`, `acme/sophia/dev@stable, revision 12` or `acme/sophia/dev@12 (cached, 5 min old)`. */
export function environmentWords({ name, version, revision, ageSeconds }: EscEnvironment): string {
  const requestedOrOpened = version ?? revision;
  const suffix = requestedOrOpened === undefined ? "" : `@${requestedOrOpened}`;
  const isTag = version !== undefined && revision !== undefined && version !== revision;
  const opened = isTag ? `, revision ${revision}` : "";
  const age = ageSeconds === undefined ? "" : ` (${cacheWords(ageSeconds)})`;
  return name + suffix + opened + age;
}

/** Returns `cached, 5 min old`. */
export function cacheWords(ageSeconds: number): string {
  return `cached, ${durationWords(ageSeconds)} old`;
}

/** Describes a source. */
export function labelOf(id: SourceId): string {
  return wordsOf(id).label;
}

/** Describes the origin of a value, with the name of the variable there if that is an alias. */
export function originWords(origin: Origin): string {
  return wordsOf(origin.source).describe(origin) + (origin.alias === undefined ? "" : `, as ${origin.alias}`);
}

/** Returns the words of a source whose type the compiler does not know. */
function wordsOf(id: SourceId): SourceWords<Origin> {
  return WORDS[id];
}
