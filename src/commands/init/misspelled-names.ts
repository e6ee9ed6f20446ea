/**
 * Finds misspelled names among the candidates of `init`. A name in a file such as .env is probably misspelled if no code
 * reads it, and if it resembles a name that the code reads and no file sets.
 */
import { createNameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { type CodePlace, describeCodePlace } from "../parts/code/code-place.ts";
import type { NamedCandidate } from "./variable-candidates.ts";

export interface Misspelling {
  /** The misspelled name. */
  readonly name: string;
  /** The line that sets it; undefined if its source has no lines. */
  readonly setAt: CodePlace | undefined;
  /** The name that the code reads. */
  readonly intendedName: string;
  /** The line of code that reads it. */
  readonly readAt: CodePlace;
}

/**
 * Separates the candidates whose names are probably misspelled. If a name is in the code and in a further source, then its
 * spelling is intended, and no other name can be a misspelling of it.
 */
export function separateMisspellings(candidates: readonly NamedCandidate[]): {
  readonly plausible: readonly NamedCandidate[];
  readonly misspelled: readonly Misspelling[];
} {
  const namesOnlyInCode = new Map(
    candidates.flatMap(({ name, readAt, sources }) =>
      readAt !== undefined && sources.length === 1 ? [[name, readAt] as const] : [],
    ),
  );
  const findSimilarName = createNameFinder(namesOnlyInCode.keys());
  const misspelled = candidates.flatMap((candidate): readonly Misspelling[] => {
    const isReadByCode = candidate.readAt !== undefined;
    const intendedName = isReadByCode ? undefined : findSimilarName(candidate.name);
    const readAt = intendedName === undefined ? undefined : namesOnlyInCode.get(intendedName);
    if (intendedName === undefined || readAt === undefined) return [];
    return [{ name: candidate.name, setAt: candidate.setAt, intendedName, readAt }];
  });
  const misspelledNames = new Set(misspelled.map(({ name }) => name));
  return { plausible: candidates.filter(({ name }) => !misspelledNames.has(name)), misspelled };
}

/** The limit on misspellings that are listed; the others are counted. */
const MAX_LINES = 10;

/** Describes the misspellings for the user, one in each line. */
export function describeMisspellings(misspelled: readonly Misspelling[]): readonly string[] {
  const unlistedCount = misspelled.length - MAX_LINES;
  return [
    ...misspelled.slice(0, MAX_LINES).map(({ name, setAt, intendedName, readAt }) => {
      const place = setAt === undefined ? "" : ` (${describeCodePlace(setAt)})`;
      return `${printable(name)}${place} is left out: no code reads it; did you mean ${intendedName}, which ${describeCodePlace(readAt)} reads?`;
    }),
    ...(unlistedCount > 0 ? [`and ${unlistedCount} more names that no code reads`] : []),
  ];
}
