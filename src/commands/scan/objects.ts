import { SophiaError } from "../../core/error.ts";
import { askGit, GitRefusal, recordsOfGit, type Git } from "../git.ts";
import type { ContentFindings } from "./inspect.ts";
import type { Search } from "./search.ts";

const GITLINK = "160000";
const NEWLINE = 10;
const QUESTION_MARK = 63;
/** The number of objects for which git searches the history for the commit. */
const MAX_COMMIT_SEARCHES = 100;
const MISSING = "missing";

interface Content {
  readonly object: string;
  readonly type: string;
  readonly found: ContentFindings;
}

/** Searches the objects of the index. @throws SophiaError (git, 125) if there is no repository */
export async function scanIndex(search: Search, git: Git, paths: readonly string[]): Promise<void> {
  const list = ["ls-files", "-z", "--stage", "--", ...paths];
  // The names of the objects that git has not answered yet.
  const pending: Buffer[] = [];
  const objects = async function* (): AsyncGenerator<string> {
    for await (const record of recordsOfGit(git, list)) {
      const tab = record.indexOf("\t");
      const [mode, object] = record.subarray(0, tab).toString().split(" ");
      if (mode === GITLINK || object === undefined) continue;
      pending.push(Buffer.from(record.subarray(tab + 1)));
      yield `${object}\n`;
    }
  };
  // First by itself: in the pipe below its failure would be lost.
  await inRepository(() => textOfGit(git, list));
  await tolerateRefusal(search, () =>
    eachObject(search, askGit(git, ["cat-file", "--batch", "--buffer"], objects()), ({ type, found }) => {
      const name = pending.shift() ?? Buffer.alloc(0);
      if (type === MISSING) search.addUnread(name, "git's object is missing");
      else if (found.findings.length > 0) search.add({ file: search.shown(name) }, found);
    }),
  );
}

/** Searches the files and messages of branches, tags and the stash. @throws SophiaError (git, 125) if there is no repository */
export async function scanHistory(search: Search, git: Git, paths: readonly string[]): Promise<void> {
  const found = new Map<string, Content>();
  await inRepository(async () => {
    const shallow = await textOfGit(git, ["rev-parse", "--is-shallow-repository"]);
    if (shallow.trim() === "true") search.gaps.push({ kind: "shallow" });
    // Fails for paths outside of the repository, before the long search.
    await textOfGit(git, ["rev-list", "--max-count=0", "--all", "--", ...paths]);
  });
  // In the order of the storage, which is by far the fastest; the names of the findings are looked up later.
  const all = ["cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"];
  await tolerateRefusal(search, () =>
    eachObject(search, askGit(git, all), (content) => {
      if (content.found.findings.length > 0) found.set(content.object, content);
    }),
  );
  if (await tolerateRefusal(search, () => addReachable(search, git, found, paths))) return;
  // Which of the others a branch reaches is unknown.
  for (const { object, type, found: findings } of found.values()) {
    search.add({ file: "", commit: type === "blob" ? undefined : object, object }, findings);
  }
}

/** Does work in which git may fail, as for a damaged object. @returns false if git failed */
async function tolerateRefusal(search: Search, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    search.gaps.push({ kind: "refused", why: error.reason });
    return false;
  }
}

/** Adds the findings in objects that a branch reaches, and counts missing objects. Other objects exist only on this machine. */
async function addReachable(
  search: Search,
  git: Git,
  found: Map<string, Content>,
  paths: readonly string[],
): Promise<void> {
  let searches = 0;
  let missing = 0;
  // --full-history: a parent may have a change of the paths that its merge dropped.
  const reached = ["rev-list", "--objects", "--all", "--missing=print", "--full-history", "--", ...paths];
  for await (const line of recordsOfGit(git, reached, NEWLINE)) {
    if (line[0] === QUESTION_MARK) missing += 1;
    const space = line.indexOf(" ");
    const object = line.subarray(0, space === -1 ? line.length : space).toString();
    const content = found.get(object);
    if (content === undefined || content.type === "tree") continue;
    found.delete(object);
    const name = space === -1 ? Buffer.alloc(0) : line.subarray(space + 1);
    searches += 1;
    const isSearched = searches <= MAX_COMMIT_SEARCHES;
    const commit = content.type !== "blob" ? object : isSearched ? await commitOf(git, object) : undefined;
    search.add({ file: search.shown(name), commit, object }, content.found);
  }
  if (missing > 0) search.gaps.push({ kind: "missing", objects: missing });
}

/** Returns the first commit with the object; undefined if git fails, as with missing folders. */
async function commitOf(git: Git, object: string): Promise<string | undefined> {
  // Compares only the names of objects, and starts no program for a difference.
  const only = ["--no-ext-diff", "--no-textconv", "--no-renames", `--find-object=${object}`];
  try {
    const commits = await textOfGit(git, ["log", "--all", "--format=%H", ...only]);
    return commits.trim().split("\n").at(-1) || undefined;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return undefined;
  }
}

/** Returns git's standard output. @throws as `askGit` does */
export async function textOfGit(git: Git, args: readonly string[]): Promise<string> {
  let all = "";
  for await (const chunk of askGit(git, args)) all += chunk.toString();
  return all;
}

async function inRepository(work: () => Promise<unknown>): Promise<void> {
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

/** Reads the output of `git cat-file --batch`: a line with name, type and size of each object, then its content. */
async function eachObject(
  search: Search,
  output: AsyncIterable<Buffer>,
  done: (content: Content) => void,
): Promise<void> {
  let header = "";
  let object = "";
  let type = "";
  let remaining = 0;
  let inspection = search.inspection();
  for await (const chunk of output) {
    for (let at = 0; at < chunk.length;) {
      if (remaining === 0) {
        const end = chunk.indexOf(NEWLINE, at);
        header += chunk.toString("latin1", at, end === -1 ? chunk.length : end);
        at = end === -1 ? chunk.length : end + 1;
        if (end === -1) continue;
        const [name = "", kind = "", size = ""] = header.split(" ");
        header = "";
        if (size === "") {
          // `NAME missing`, as in a partial clone.
          done({ object: name, type: MISSING, found: { findings: [], more: 0 } });
          continue;
        }
        [object, type, remaining] = [name, kind, Number(size) + 1];
        inspection = search.inspection();
      }
      const length = Math.min(remaining, chunk.length - at);
      remaining -= length;
      // A tree has only names.
      const content = Math.max(0, remaining === 0 ? length - 1 : length);
      if (type !== "tree") inspection.read(chunk.subarray(at, at + content), remaining > 1);
      at += length;
      search.progress(content);
      if (remaining > 0) continue;
      search.contents += 1;
      done({ object, type, found: inspection.result() });
    }
  }
}
