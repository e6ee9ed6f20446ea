/**
 * The candidates of `init`: variables that the new contract may declare. Each source, such as the code or .env.example,
 * returns candidates with what it knows of them, and mergeCandidates() joins those of the same name.
 */
import { isBlank } from "../../contract/check-contract.ts";
import { looksSecret, mayHoldCredentials } from "../../contract/looks-secret.ts";
import type { FormatEntry } from "../../contract/generated/document.ts";
import type { GroupKind, ValueFormat } from "../../contract/contract-model.ts";
import { findFormatFault, createPatternWork } from "../../contract/format.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import { groupBy } from "../../core/group-by.ts";
import { findExclusionReason } from "../parts/code/exclusions.ts";
import type { CodePlace } from "../parts/code/code-place.ts";
import type { DotenvLoad } from "./dotenv-loads.ts";

/** A variable that the new contract may declare. */
export interface Candidate {
  readonly name: string;
  /** True if the source says that the variable is required. */
  readonly required: boolean;
  /**
   * True if the source says that the variable is not required. If `required` is false, too, the source does not decide it.
   */
  readonly isOptional?: true | undefined;
  /** True if the code reads the variable without a fallback, and nowhere tests whether it is set. */
  readonly isUntested?: true | undefined;
  /** The first line of code that reads the variable; with `isUntested` the first line that reads it without a fallback. */
  readonly readAt?: CodePlace | undefined;
  /** The line of a file that sets the variable, or lists it. */
  readonly setAt?: CodePlace | undefined;
  /** Other names under which the code reads the variable. */
  readonly aliases?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly description?: string | undefined;
  /** An example for the contract, whose readers all see it. So it is never a value that may be a real secret. */
  readonly example?: string | undefined;
  /** Undefined if the source does not say whether the variable is a secret. */
  readonly secret?: boolean | undefined;
  readonly default?: string | undefined;
  /** The address of a document about the variable. */
  readonly docs?: string | undefined;
  /** True if the source has a value for the variable. Then its name alone does not decide the format. */
  readonly hasValue?: boolean;
  /** Returns true if each value of the source has the format. Absent if the values are not known. */
  readonly admitsFormat?: ((format: ValueFormat) => boolean) | undefined;
  /** The format that the source states. */
  readonly format?: FormatEntry | undefined;
  /** The file that has the variable, if the source consists of several files. */
  readonly file?: string;
}

/**
 * Returns the function `admitsFormat` of a candidate with these values. Empty values are ignored: a start takes them for
 * unset.
 */
export function createFormatTest(name: string, values: readonly string[]): NonNullable<Candidate["admitsFormat"]> {
  return (format) =>
    values.every((value) => value === "" || findFormatFault(format, value, name, createPatternWork()) === undefined);
}

/** A rule over several variables, such as `exactly-one`. */
export interface CandidateGroup {
  readonly label: string;
  readonly rule: GroupKind;
  readonly variables: readonly string[];
}

/** Everything that one source contributes to a new contract. */
export interface SourceResult {
  readonly candidates: readonly Candidate[];
  readonly groups?: readonly CandidateGroup[];
  /** The contract that the new one extends: `builtin`, or a path. */
  readonly extendedContract?: string;
  /**
   * The description of the source for the user, such as `the code (3 files)`. mergeCandidates() makes a short name of it.
   */
  readonly source: string;
  /** Sentences for the user. One that begins with two spaces is a command, whose line is not broken. */
  readonly remarks?: readonly string[];
  /** The full names of the ESC environments that were read. */
  readonly environments?: readonly string[];
  /** The calls by which the code itself loads `.env` files. */
  readonly loads?: readonly DotenvLoad[];
}

/** A candidate that is joined from those of all sources with the variable. */
export interface NamedCandidate extends Candidate {
  /** The short names of the sources, such as `code`. */
  readonly sources: readonly string[];
}

/** Returns true for a value that shows that the variable is not a secret. An empty value or a placeholder shows nothing. */
export function isPublicValue(name: string, value: string): boolean {
  const isRealValue = !isBlank(value) && !isPlaceholder({ secret: false }, value);
  return isRealValue && !looksSecret(name, value) && !mayHoldCredentials(value);
}

/**
 * Joins the candidates of several sources. A variable is required if any source requires it, and a secret if any source
 * says so. Other details come from the first source that has them.
 *
 * @returns in `leftOut` the names that a contract should not declare, such as `PATH`, by the reason
 */
export function mergeCandidates(results: readonly SourceResult[]): {
  readonly candidates: readonly NamedCandidate[];
  readonly leftOut: ReadonlyMap<string, readonly string[]>;
} {
  const merged = new Map<string, NamedCandidate>();
  const exclusionReasons = new Map<string, string>();
  for (const { candidates, source } of results) {
    // `the code (3 files)` becomes `code`.
    const shortSource = source.replace(/^the /, "").replace(/ \(.*$|,.*$/, "");
    for (const candidate of candidates) {
      const { name } = candidate;
      const reason = findExclusionReason(name);
      if (reason !== undefined) exclusionReasons.set(name, reason);
      else merged.set(name, withCandidate(merged.get(name), candidate, candidate.file ?? shortSource));
    }
  }
  const leftOut = groupBy([...exclusionReasons.keys()], (name) => exclusionReasons.get(name) ?? "");
  return { candidates: withDistinctAliases([...merged.values()]), leftOut };
}

/** Removes aliases that are also names or aliases of other variables, since a contract with them would be invalid. */
function withDistinctAliases(candidates: readonly NamedCandidate[]): readonly NamedCandidate[] {
  const usedNames = new Set(candidates.map(({ name }) => name));
  return candidates.map((candidate) => {
    const { aliases } = candidate;
    if (aliases === undefined) return candidate;
    const freeAliases = aliases.filter((alias) => !usedNames.has(alias) && findExclusionReason(alias) === undefined);
    for (const alias of freeAliases) usedNames.add(alias);
    return { ...candidate, aliases: freeAliases.length === 0 ? undefined : freeAliases };
  });
}

/** Joins a candidate with the one of the earlier sources. `source` is the name of the candidate's own source. */
function withCandidate(earlier: NamedCandidate | undefined, candidate: Candidate, source: string): NamedCandidate {
  if (earlier === undefined) return { ...candidate, sources: [source] };
  const knownDetails = Object.fromEntries(Object.entries(earlier).filter(([, value]) => value !== undefined));
  const isSecret = candidate.secret === true || earlier.secret === true;
  return {
    ...candidate,
    ...knownDetails,
    name: candidate.name,
    required: candidate.required || earlier.required,
    isOptional: candidate.isOptional ?? earlier.isOptional,
    hasValue: candidate.hasValue === true || earlier.hasValue === true,
    admitsFormat: bothAdmit(earlier, candidate),
    secret: isSecret ? true : (earlier.secret ?? candidate.secret),
    sources: [...new Set([...earlier.sources, source])],
  };
}

/**
 * Joins `admitsFormat` of two candidates. The result returns true only if the values of both are known to have the format.
 */
function bothAdmit(earlier: Candidate, candidate: Candidate): Candidate["admitsFormat"] {
  const sourcesWithValues = [earlier, candidate].filter(({ hasValue }) => hasValue === true);
  if (sourcesWithValues.length < 2) return sourcesWithValues[0]?.admitsFormat;
  return (format) => sourcesWithValues.every(({ admitsFormat }) => admitsFormat?.(format) === true);
}
