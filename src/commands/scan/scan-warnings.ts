/**
 * Formats the warnings of `sophia-run scan` about what it could not search, with the git commands that fetch or remove that. This
 * file has no side effects.
 */
import { enumerateFew, limitLines } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { count } from "../../core/text.ts";
import type { Gap, SecretSearch } from "./secret-search.ts";

/** The limit on the files, submodules and variables that one warning names. */
const MAX_NAMES = 5;

/** The lines of a warning: the warning itself, and below it the names that it is about or what the user can do. */
type WarningLines = readonly [string, ...string[]];

/** Returns a warning for each part that could not be searched, and for objects that only this clone has. */
export function describeScanWarnings(search: SecretSearch): readonly WarningLines[] {
  const { unreadFiles, unlistedUnreadFileCount, gaps, unreachableObjects } = search;
  const warnings = gaps.map(describeGap);
  for (const { objects: objectCount, repository } of unreachableObjects) {
    const verb = objectCount === 1 ? "contains" : "contain";
    warnings.push([
      `warning: ${count(objectCount, "object")} to which nothing refers ${verb} a secret, in this clone alone`,
      `remove all such objects: ${createGitCommand(repository)} gc --prune=now`,
    ]);
  }
  if (unreadFiles.length === 0) return warnings;
  const files = unreadFiles.slice(0, MAX_NAMES).map(({ file, why }) => `${file} (${why})`);
  const fileCount = unreadFiles.length + unlistedUnreadFileCount;
  const restLine = fileCount > MAX_NAMES ? [`and ${fileCount - MAX_NAMES} more`] : [];
  return [...warnings, [`warning: ${count(fileCount, "file")} could not be searched`, ...files, ...restLine]];
}

function describeGap(gap: Gap): WarningLines {
  const repository = "repository" in gap ? gap.repository : undefined;
  const git = createGitCommand(repository);
  const ofRepository = repository === undefined ? "" : ` of ${repository}`;
  const refetchRemedy = `fetch the objects that a partial clone lacks: ${git} fetch --refetch --no-filter`;
  switch (gap.kind) {
    case "shallow":
      return [
        `warning: only part of the history${ofRepository} was searched (shallow clone)`,
        `fetch the rest: ${git} fetch --unshallow`,
      ];
    case "missing": {
      const objects = count(gap.objects, "object");
      return [
        `warning: ${objects} of the history${ofRepository} could not be searched (not in this clone)`,
        refetchRemedy,
      ];
    }
    case "refused": {
      const checkRemedy = `list damaged and missing objects: ${git} fsck --connectivity-only`;
      return [`warning: not all objects${ofRepository} could be searched (${gap.why})`, refetchRemedy, checkRemedy];
    }
    case "submodules":
      return [
        `warning: the history of ${count(gap.files.length, "submodule")} was not searched`,
        ...limitLines(gap.files, MAX_NAMES),
        "get them: git submodule update --init --recursive",
      ];
    case "esc": {
      const cause = gap.status === "refused" ? "ESC refuses access" : "ESC is not available";
      const names = enumerateFew(gap.searchedFor, MAX_NAMES);
      return [
        names === ""
          ? `warning: nothing was searched for: ${cause}, and no other secret has a value`
          : `warning: ${cause}: its values were not searched for, only those of ${names}`,
        "--require-esc makes that an error",
      ];
    }
  }
}

function createGitCommand(repository: string | undefined): string {
  return repository === undefined ? "git" : `git -C ${shellWord(repository)}`;
}
