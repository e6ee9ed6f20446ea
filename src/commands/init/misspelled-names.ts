/** Names in files that no code reads, and that resemble one that the code reads and no file has: probably misspelt; pure. */
import { nameFinder } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { type CodePlace, placeWords } from "../parts/code/code-place.ts";
import type { NamedCandidate } from "./variable-candidates.ts";

export interface Misspelling {
  readonly name: string;
  readonly setAt: CodePlace | undefined;
  /** The name that the code reads. */
  readonly meant: string;
  readonly readAt: CodePlace;
}

/** Splits off the candidates whose names are probably misspelt. A name that has a source of its own, besides code, is meant. */
export function withoutMisspellings(candidates: readonly NamedCandidate[]): {
  readonly kept: readonly NamedCandidate[];
  readonly misspelt: readonly Misspelling[];
} {
  const readAlone = new Map(
    candidates.flatMap(({ name, readAt, sources }) =>
      readAt !== undefined && sources.length === 1 ? [[name, readAt] as const] : [],
    ),
  );
  const find = nameFinder(readAlone.keys());
  const misspelt = candidates.flatMap(({ name, readAt, setAt }): readonly Misspelling[] => {
    const meant = readAt === undefined ? find(name) : undefined;
    const place = meant === undefined ? undefined : readAlone.get(meant);
    return meant === undefined || place === undefined ? [] : [{ name, setAt, meant, readAt: place }];
  });
  const names = new Set(misspelt.map(({ name }) => name));
  return { kept: candidates.filter(({ name }) => !names.has(name)), misspelt };
}

const MOST = 10;

export function misspellingLines(misspelt: readonly Misspelling[]): readonly string[] {
  const left = misspelt.length - MOST;
  return [
    ...misspelt.slice(0, MOST).map(({ name, setAt, meant, readAt }) => {
      const where = setAt === undefined ? "" : ` (${placeWords(setAt)})`;
      return `${printable(name)}${where} is left out: no code reads it; did you mean ${meant}, which ${placeWords(readAt)} reads?`;
    }),
    ...(left > 0 ? [`and ${left} more names that no code reads`] : []),
  ];
}
