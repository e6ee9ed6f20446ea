/**
 * Finds names of variables in files that are probably misspelled: no code reads the name, and it resembles a name that the code
 * reads and no file sets; pure.
 */
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { type CodePlace, describePlace } from "../parts/code/code-place.ts";
import type { NamedCandidate } from "./variable-candidates.ts";

export interface Misspelling {
  /** The misspelled name. */
  readonly name: string;
  readonly setAt: CodePlace | undefined;
  /** The name that the code reads. */
  readonly intendedName: string;
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
  const findSimilarName = nameFinder(namesOnlyInCode.keys());
  const misspelled = candidates.flatMap(({ name, readAt: ownPlace, setAt }): readonly Misspelling[] => {
    const intendedName = ownPlace === undefined ? findSimilarName(name) : undefined;
    const readAt = intendedName === undefined ? undefined : namesOnlyInCode.get(intendedName);
    return intendedName === undefined || readAt === undefined ? [] : [{ name, setAt, intendedName, readAt }];
  });
  const misspelledNames = new Set(misspelled.map(({ name }) => name));
  return { plausible: candidates.filter(({ name }) => !misspelledNames.has(name)), misspelled };
}

const MAX_LINES = 10;

/** Describes the misspellings for the user, one in each line. */
export function misspellingLines(misspelled: readonly Misspelling[]): readonly string[] {
  const further = misspelled.length - MAX_LINES;
  return [
    ...misspelled.slice(0, MAX_LINES).map(({ name, setAt, intendedName, readAt }) => {
      const place = setAt === undefined ? "" : ` (${describePlace(setAt)})`;
      return `${printable(name)}${place} is left out: no code reads it; did you mean ${intendedName}, which ${describePlace(readAt)} reads?`;
    }),
    ...(further > 0 ? [`and ${further} more names that no code reads`] : []),
  ];
}
