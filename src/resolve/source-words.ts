/** Describes in reports where values come from: the source, such as ESC or a `.env` file, and the place in it. A plain start does not load this file. */
import type { Origin, SourceId } from "../core/model.ts";
import { durationWords, printable } from "../core/text.ts";
import type { EscEnvironment } from "../sources/esc-failure.ts";

interface SourceWords<OriginOfSource extends Origin> {
  /** The source, as in a list of sources. */
  readonly label: string;
  /** Returns the place of one value, such as `.env:3`. A method, so that `wordsOf` may return this type for all origins. */
  describe(origin: OriginOfSource): string;
}

/** For each source the words about it. The functions get the origins of their own source only. */
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

/**
 * Returns an environment of ESC as reports name it: `acme/sophia/dev@12` for a revision, `acme/sophia/dev@stable, revision 12` if the
 * user asked for a tag, and `acme/sophia/dev@12 (cached, 5 min old)` for values of the cache.
 */
export function environmentWords({ name, version, revision, ageSeconds }: EscEnvironment): string {
  // The user asked for a version: a revision or a tag. Without one, the answer names the revision that was opened.
  const shownVersion = version ?? revision;
  const suffix = shownVersion === undefined ? "" : `@${shownVersion}`;
  const isTag = version !== undefined && revision !== undefined && version !== revision;
  const revisionOfTag = isTag ? `, revision ${revision}` : "";
  const age = ageSeconds === undefined ? "" : ` (${cacheWords(ageSeconds)})`;
  return name + suffix + revisionOfTag + age;
}

/** Returns `cached, 5 min old`. */
export function cacheWords(ageSeconds: number): string {
  return `cached, ${durationWords(ageSeconds)} old`;
}

/** Returns the name of a source for lists of sources, such as `.env`. */
export function labelOf(id: SourceId): string {
  return wordsOf(id).label;
}

/** Returns the place of a value, and the name that the variable has there if that is an alias: `.env:3, as MAIL_PASSWORD`. */
export function originWords(origin: Origin): string {
  return wordsOf(origin.source).describe(origin) + (origin.alias === undefined ? "" : `, as ${origin.alias}`);
}

/** Returns the words of a source that is known only at run time. */
function wordsOf(id: SourceId): SourceWords<Origin> {
  return WORDS[id];
}
