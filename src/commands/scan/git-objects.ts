/** Reads objects of git and searches their contents: what the searches of the index and of the history have in common. */
import { SophiaError } from "../../core/error.ts";
import { runGit, GitRefusal, type Git } from "../../access/git-command.ts";
import type { ContentFindings } from "./inspect.ts";
import type { SecretSearch } from "./secret-search.ts";

/** The mode of a submodule in git's index, which has the commit of another repository in place of a file. */
export const GITLINK_MODE = "160000";
/** The type of an object that is not in this repository, as in a partial clone. */
export const MISSING = "missing";
export const NEWLINE = 10;

/** An object of git whose content was searched. */
export interface SearchedObject {
  readonly object: string;
  /** `blob`, `tree`, `commit` or `tag`, or {@link MISSING}. */
  readonly type: string;
  readonly found: ContentFindings;
}

/** Returns git's standard output. @throws as `runGit` does */
export async function textOfGit(git: Git, args: readonly string[]): Promise<string> {
  let output = "";
  for await (const chunk of runGit(git, args)) output += chunk.toString();
  return output;
}

/** Does the first work of a search, in which git fails if there is no repository. @throws SophiaError (git, 125) if so */
export async function requireRepository(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    throw new SophiaError({
      code: "git",
      message: `git cannot read a repository here: ${error.reason}`,
      hint: "start scan in a git repository, or without --staged and --history to search files",
    });
  }
}

/**
 * Does work in which git may fail, as for a damaged object. A failure of git becomes a gap of the search, which then goes on.
 *
 * @returns false if git failed
 */
export async function tolerateRefusal(
  search: SecretSearch,
  work: () => Promise<void>,
  repository?: string,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    search.gaps.push({ kind: "refused", why: error.reason, repository });
    return false;
  }
}

/**
 * Searches each object in the output of `git cat-file --batch`. Chunks of that output end anywhere. For each object git
 * writes a header, the content, and a line break:
 *
 *     4b825dc642cb6eb9a060e54bf8d69288fbee4904 blob 12
 *     API_KEY=abc
 *
 * For an object that is not in the repository it writes only `NAME missing`.
 */
export async function searchObjects(
  search: SecretSearch,
  output: AsyncIterable<Buffer>,
  onObject: (object: SearchedObject) => void,
): Promise<void> {
  let header = "";
  let object = "";
  let type = "";
  /** The bytes that follow of the content and of the line break behind it; 0 before a header. */
  let remaining = 0;
  let inspection = search.createInspection();
  for await (const chunk of output) {
    for (let offset = 0; offset < chunk.length;) {
      if (remaining === 0) {
        const end = chunk.indexOf(NEWLINE, offset);
        header += chunk.toString("latin1", offset, end === -1 ? chunk.length : end);
        // The next chunk has the rest of the header.
        if (end === -1) break;
        offset = end + 1;
        const [headerObject = "", headerType = "", contentLength = ""] = header.split(" ");
        header = "";
        if (contentLength === "") {
          onObject({ object: headerObject, type: MISSING, found: { findings: [], unlistedCount: 0 } });
          continue;
        }
        object = headerObject;
        type = headerType;
        remaining = Number(contentLength) + 1;
        inspection = search.createInspection();
      }
      const length = Math.min(remaining, chunk.length - offset);
      remaining -= length;
      const contentLength = Math.max(0, remaining === 0 ? length - 1 : length);
      // A tree contains only names, which the search of names finds with their paths.
      if (type !== "tree") inspection.read(chunk.subarray(offset, offset + contentLength), remaining > 1);
      offset += length;
      search.showProgress(contentLength);
      if (remaining > 0) continue;
      search.contents += 1;
      onObject({ object, type, found: inspection.result() });
    }
  }
}
