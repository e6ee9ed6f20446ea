/**
 * Describes where the values of variables come from: the sources (ESC, `.env`), and a value's location in its source
 * (`.env:3`). Reports such as `check` and `explain` load this file; a plain start does not.
 */
import type { Origin, SourceId } from "../core/model.ts";
import { formatDuration, printable } from "../core/text.ts";
import type { EscEnvironment } from "../sources/esc-failure.ts";

interface SourceDescription<OriginOfSource extends Origin> {
  /** The name of the source in reports. */
  readonly label: string;
  /**
   * Describes the location of a value in this source. This is a method, not a property with a function: only then does the compiler
   * let `descriptionOf` return it as a function of any origin.
   */
  describe(origin: OriginOfSource): string;
}

/** The origins of one source. */
type OriginOf<Id extends SourceId> = Extract<Origin, { readonly source: Id }>;

const DESCRIPTIONS: { readonly [Id in SourceId]: SourceDescription<OriginOf<Id>> } = {
  override: { label: ".env.override", describe: describeLine },
  esc: { label: "ESC", describe: describeEscLocation },
  environment: {
    label: "environment",
    describe: ({ read: valueFile }) => {
      const suffix = valueFile === undefined ? "" : `, ${printable(valueFile.by)}: ${printable(valueFile.file)}`;
      return `the process environment${suffix}`;
    },
  },
  secrets: { label: "the secrets folder", describe: ({ file }) => printable(file) },
  dotenv: { label: ".env", describe: describeLine },
  contract: { label: "the contract's defaults", describe: () => "the contract's default" },
  // The option `--fake` makes dummies.
  fake: { label: "dummy values", describe: () => "a dummy value (--fake)" },
};

function describeLine({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${printable(file)}:${line}`;
}

function describeEscLocation({ environment: name, importedFrom, ...versionAndAge }: OriginOf<"esc">): string {
  const importSuffix = importedFrom === undefined ? "" : `, imported from ${printable(importedFrom)}`;
  return `ESC ${escEnvironmentWords({ name, ...versionAndAge })}${importSuffix}`;
}

/**
 * Describes an ESC environment:
 *
 *     acme/sophia/dev@12                       the user requested revision 12, or ESC opened it as the newest
 *     acme/sophia/dev@stable, revision 12      the user requested the tag `stable`
 *     acme/sophia/dev@12 (cached, 5 min old)   the values are from the cache
 */
export function escEnvironmentWords({ name, version, revision, ageSeconds }: EscEnvironment): string {
  const versionOrRevision = version ?? revision;
  const versionSuffix = versionOrRevision === undefined ? "" : `@${versionOrRevision}`;
  // The user requests a revision or a tag. ESC reports the revision, so that a version which differs from it is a tag.
  const isTag = version !== undefined && revision !== undefined && version !== revision;
  const revisionSuffix = isTag ? `, revision ${revision}` : "";
  const ageSuffix = ageSeconds === undefined ? "" : ` (${cacheWords(ageSeconds)})`;
  return name + versionSuffix + revisionSuffix + ageSuffix;
}

/** Describes the age of cached values: `cached, 5 min old`. */
export function cacheWords(ageSeconds: number): string {
  return `cached, ${formatDuration(ageSeconds)} old`;
}

/** Returns the name of a source in reports, such as `ESC`. */
export function labelOf(id: SourceId): string {
  return descriptionOf(id).label;
}

/** Describes the origin of a value: `.env:3`. If the source has the variable under an alias, adds that name: `.env:3, as DB_URL`. */
export function originWords(origin: Origin): string {
  const aliasSuffix = origin.alias === undefined ? "" : `, as ${origin.alias}`;
  return descriptionOf(origin.source).describe(origin) + aliasSuffix;
}

/** Returns the description of a source, as a function of any origin. The caller passes origins of that source only. */
function descriptionOf(id: SourceId): SourceDescription<Origin> {
  return DESCRIPTIONS[id];
}
