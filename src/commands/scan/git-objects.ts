/**
 * Reads objects of git and searches their contents for secrets. index-search.ts (`scan --staged`) and history-search.ts
 * (`scan --history`) use these functions.
 */
import { SophiaError } from "../../core/error.ts";
import { runGit, GitRefusal, type Git } from "../../access/git-command.ts";
import type { ContentFindings, Inspection } from "./inspect.ts";
import type { SecretSearch } from "./secret-search.ts";

/** The mode of a submodule in git's index, which has the commit of another repository in place of a file. */
export const GITLINK_MODE = "160000";
/** The type of an object that is not in this repository, as in a partial clone. */
export const MISSING_TYPE = "missing";
export const NEWLINE = 10;

/** An object of git whose content was searched. */
export interface SearchedGitObject {
  /** The hash by which git names the object. */
  readonly id: string;
  /** `blob`, `tree`, `commit` or `tag`, or {@link MISSING_TYPE}. */
  readonly type: string;
  readonly contentFindings: ContentFindings;
}

/** Returns git's standard output. @throws as `runGit` does */
export async function readGitOutput(git: Git, args: readonly string[]): Promise<string> {
  let output = "";
  for await (const chunk of runGit(git, args)) output += chunk.toString();
  return output;
}

/**
 * Runs the first step of a search, in which git fails if there is no repository.
 *
 * @throws SophiaError (git, 125) if git fails
 */
export async function requireRepository(firstStep: () => Promise<unknown>): Promise<void> {
  try {
    await firstStep();
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
 * Runs a step of a search in which git may fail, for example because of a damaged object. A failure of git becomes a gap of the
 * search, which then continues with its next step.
 *
 * @param submoduleName the folder of the submodule that is searched; undefined for the user's repository
 * @returns false if git failed
 */
export async function runDespiteGitRefusal(
  search: SecretSearch,
  step: () => Promise<void>,
  submoduleName?: string,
): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    search.gaps.push({ kind: "refused", why: error.reason, repository: submoduleName });
    return false;
  }
}

/**
 * Searches each object in the output of `git cat-file --batch`. A chunk of the output may end anywhere. For each object, git
 * writes a header, the content, and a line break:
 *
 *     4b825dc642cb6eb9a060e54bf8d69288fbee4904 blob 12
 *     API_KEY=abc
 *
 * For an object that is not in the repository it writes only `NAME missing`.
 */
export async function searchGitObjects(
  search: SecretSearch,
  output: AsyncIterable<Buffer>,
  onObject: (object: SearchedGitObject) => void,
): Promise<void> {
  const reader = new GitObjectReader(search, onObject);
  for await (const chunk of output) reader.read(chunk);
}

/** The state of one output of `git cat-file --batch`, of which the chunks are read one after the other. */
class GitObjectReader {
  readonly #search: SecretSearch;
  readonly #onObject: (object: SearchedGitObject) => void;
  /** The beginning of a header whose line break has not been read yet. */
  #header = "";
  #id = "";
  #type = "";
  /** The number of bytes that follow of the content and of the line break behind it; 0 before a header. */
  #remaining = 0;
  #inspection: Inspection;

  constructor(search: SecretSearch, onObject: (object: SearchedGitObject) => void) {
    this.#search = search;
    this.#onObject = onObject;
    this.#inspection = search.createInspection();
  }

  read(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset = this.#remaining === 0 ? this.#readHeader(chunk, offset) : this.#readContent(chunk, offset);
    }
  }

  /** Reads a header, or the part of it that the chunk has. @returns the offset behind it */
  #readHeader(chunk: Buffer, offset: number): number {
    const end = chunk.indexOf(NEWLINE, offset);
    this.#header += chunk.toString("latin1", offset, end === -1 ? chunk.length : end);
    // The next chunk has the rest of the header.
    if (end === -1) return chunk.length;
    const [id = "", type = "", contentLength = ""] = this.#header.split(" ");
    this.#header = "";
    if (contentLength === "") {
      this.#onObject({ id, type: MISSING_TYPE, contentFindings: { findings: [], unlistedCount: 0 } });
      return end + 1;
    }
    this.#id = id;
    this.#type = type;
    this.#remaining = Number(contentLength) + 1;
    this.#inspection = this.#search.createInspection();
    return end + 1;
  }

  /** Searches the content of an object, or the part of it that the chunk has. @returns the offset behind it */
  #readContent(chunk: Buffer, offset: number): number {
    const length = Math.min(this.#remaining, chunk.length - offset);
    this.#remaining -= length;
    // The last byte is the line break behind the content.
    const contentLength = this.#remaining === 0 ? length - 1 : length;
    // A tree contains only names, which the search of names finds with their paths.
    if (this.#type !== "tree") {
      this.#inspection.read(chunk.subarray(offset, offset + contentLength), this.#remaining > 1);
    }
    this.#search.showProgress(contentLength);
    if (this.#remaining === 0) {
      this.#search.searchedContentCount += 1;
      this.#onObject({ id: this.#id, type: this.#type, contentFindings: this.#inspection.collectFindings() });
    }
    return offset + length;
  }
}
