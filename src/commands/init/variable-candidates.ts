import { isBlank } from "../../contract/check-contract.ts";
import { looksSecret, mayHoldCredentials } from "../../contract/looks-secret.ts";
import type { FormatEntry } from "../../contract/generated/document.ts";
import type { GroupKind, ValueFormat } from "../../contract/contract-model.ts";
import { formatFault, noWork } from "../../contract/format.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import { grouped } from "../../core/grouped.ts";
import { exclusionOf } from "../parts/code/exclusions.ts";
import type { CodePlace } from "../parts/code/code-place.ts";
import type { DotenvLoad } from "./dotenv-loads.ts";

/** A variable that the new contract may declare. */
export interface Candidate {
  readonly name: string;
  readonly required: boolean;
  /** The source says that the variable is not required. Else nothing is known of one that is not `required`. */
  readonly isOptional?: true | undefined;
  /** The code reads it without a fallback, and nowhere tests whether it is set. */
  readonly isUntested?: true | undefined;
  /** The first place that reads it; if `isUntested`, one without a fallback. */
  readonly readAt?: CodePlace | undefined;
  /** The line that sets it, or lists it. */
  readonly setAt?: CodePlace | undefined;
  /** Other names under which the code reads it. */
  readonly aliases?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly description?: string | undefined;
  /** Shown to every reader of the contract, so never a value that may be a real secret. */
  readonly example?: string | undefined;
  readonly secret?: boolean | undefined;
  readonly default?: string | undefined;
  readonly docs?: string | undefined;
  /** The source has a value, so that its format must not be guessed from the name alone. */
  readonly isGiven?: boolean;
  /** Returns true if each value that the source has is one of the format; absent if they are not known. */
  readonly admits?: ((format: ValueFormat) => boolean) | undefined;
  /** The format that the source states. */
  readonly format?: FormatEntry | undefined;
  /** The file, if the source is several. */
  readonly file?: string;
}

/** Returns `admits` for a source that has these values. An empty one is not set, and no format admits it. */
export function admitsAll(name: string, values: readonly string[]): NonNullable<Candidate["admits"]> {
  return (format) => values.every((value) => value === "" || formatFault(format, value, name, noWork()) === undefined);
}

export interface CandidateGroup {
  readonly label: string;
  readonly rule: GroupKind;
  readonly variables: readonly string[];
}

export interface SourceResult {
  readonly candidates: readonly Candidate[];
  readonly groups?: readonly CandidateGroup[];
  /** The contract to extend: `builtin` or a path. */
  readonly base?: string;
  /** The source in words, such as `the code (3 files)`. */
  readonly source: string;
  readonly remarks?: readonly string[];
  /** The full names of the ESC environments that were read. */
  readonly environments?: readonly string[];
  /** The calls by which the code itself loads `.env` files. */
  readonly loads?: readonly DotenvLoad[];
}

/** A variable of one or several sources. */
export interface NamedCandidate extends Candidate {
  /** The sources in a few words, such as `code`. */
  readonly sources: readonly string[];
}

/** Returns true for a value that shows that the variable is no secret: not none, a placeholder, a URL or a host with a port. */
export function isPublicValue(name: string, value: string): boolean {
  const isValue = !isBlank(value) && !isPlaceholder({ secret: false }, value);
  return isValue && !looksSecret(name, value) && !mayHoldCredentials(value);
}

/**
 * Joins the candidates of several sources. One is required if any source requires it, and secret if any source says so; other
 * details come from the first that has them.
 *
 * @returns also the names that are left out, by the reason
 */
export function mergeCandidates(results: readonly SourceResult[]): {
  readonly candidates: readonly NamedCandidate[];
  readonly leftOut: ReadonlyMap<string, readonly string[]>;
} {
  const merged = new Map<string, NamedCandidate>();
  const excluded = new Map<string, string>();
  for (const { candidates, source } of results) {
    const label = source.replace(/^the /, "").replace(/ \(.*$|,.*$/, "");
    for (const candidate of candidates) {
      const { name } = candidate;
      const reason = exclusionOf(name);
      if (reason !== undefined) excluded.set(name, reason);
      else merged.set(name, joined(merged.get(name), candidate, candidate.file ?? label));
    }
  }
  const byReason = grouped([...excluded.keys()], (name) => excluded.get(name) ?? "");
  return { candidates: withDistinctAliases([...merged.values()]), leftOut: byReason };
}

/** Leaves out aliases that are names, or aliases, of other variables: a contract with them would be invalid. */
function withDistinctAliases(candidates: readonly NamedCandidate[]): readonly NamedCandidate[] {
  const used = new Set(candidates.map(({ name }) => name));
  return candidates.map((candidate) => {
    const { aliases } = candidate;
    if (aliases === undefined) return candidate;
    const free = aliases.filter((alias) => !used.has(alias) && exclusionOf(alias) === undefined);
    for (const alias of free) used.add(alias);
    return { ...candidate, aliases: free.length === 0 ? undefined : free };
  });
}

function joined(earlier: NamedCandidate | undefined, candidate: Candidate, source: string): NamedCandidate {
  if (earlier === undefined) return { ...candidate, sources: [source] };
  const known = Object.fromEntries(Object.entries(earlier).filter(([, value]) => value !== undefined));
  return {
    ...candidate,
    ...known,
    name: candidate.name,
    required: candidate.required || earlier.required,
    isOptional: candidate.isOptional ?? earlier.isOptional,
    isGiven: candidate.isGiven === true || earlier.isGiven === true,
    admits: bothAdmit(earlier, candidate),
    secret: candidate.secret === true || earlier.secret === true ? true : (earlier.secret ?? candidate.secret),
    sources: [...new Set([...earlier.sources, source])],
  };
}

/** Joins what is known of the values of two sources: a format fits only if each value of both is known to be one. */
function bothAdmit(one: Candidate, other: Candidate): Candidate["admits"] {
  const given = [one, other].filter(({ isGiven }) => isGiven === true);
  if (given.length < 2) return given[0]?.admits;
  return (format) => given.every(({ admits }) => admits?.(format) === true);
}
