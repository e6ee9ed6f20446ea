/** Refuses misspelled names of variables on the command line, such as in `sophia-run get DATABSE_URL`. */
import type { Start } from "../../resolve/start.ts";
import { createNameFinder } from "../../core/suggest.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";

/**
 * Refuses names that the contract does not declare and that no source sets.
 *
 * @param furtherNames names that are accepted as well
 * @throws SophiaError (unknown-variable, 125), with similar names as a hint
 */
export function refuseUnknownVariables(
  names: readonly string[],
  start: Start,
  furtherNames: readonly string[] = [],
): void {
  const {
    files: { contract },
    values: { resolution },
  } = start;
  const knownNames = new Set([
    ...contract.variables.keys(),
    ...contract.aliases.keys(),
    ...(contract.scope?.outside ?? []),
    ...resolution.keys(),
    ...findNamesSkippedByEsc(start),
    ...furtherNames,
  ]);
  // The maps are asked as well, because on Windows they ignore case, which the set does not.
  const isKnown = (name: string): boolean =>
    knownNames.has(name) || resolution.has(name) || contract.variables.has(name);
  const unknownNames = names.filter((name) => !isKnown(name));
  if (unknownNames.length === 0) return;
  const findSimilarName = createNameFinder(knownNames);
  const suggestions = unknownNames.flatMap((name) => findSimilarName(name) ?? []);
  throw new SophiaError({
    code: "unknown-variable",
    message: `${unknownNames.map(printable).join(", ")}: not declared by the contract, and set by no source`,
    hint:
      suggestions.length > 0
        ? `did you mean ${suggestions.map(printable).join(", ")}?`
        : "sophia-run explain lists the declared variables; with --all also those of the environment",
  });
}

/** Returns the names in ESC that no program gets, because their values are lists or objects, or because they are not known yet. */
export function findNamesSkippedByEsc({ verdict: { notices } }: Pick<Start, "verdict">): readonly string[] {
  return notices.flatMap((notice) => (notice.kind === "esc-skipped" ? notice.names : []));
}
