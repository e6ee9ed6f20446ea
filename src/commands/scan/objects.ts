import { resolve } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { askGit, GitRefusal, recordsOfGit, type Git } from "../../access/git-command.ts";
import type { ContentFindings } from "./inspect.ts";
import { NameSearch } from "./scanned-names.ts";
import type { Search } from "./secret-search.ts";

const GITLINK = "160000";
const NEWLINE = 10;
const QUESTION_MARK = 63;
/** The number of objects for which git searches the history for the commit. */
const MAX_COMMIT_SEARCHES = 100;
const MISSING = "missing";
/** Comes before a commit among names, none of which begins so. An empty record or a line break may come before a name. */
const MARK = Buffer.from("//");

/** Variables that hooks have, and that hold for the repository above alone (`git rev-parse --local-env-vars`). */
const OF_ONE_REPOSITORY =
  /^GIT_(?:DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|PREFIX|GRAFT_FILE|SHALLOW_FILE|IMPLICIT_WORK_TREE)$/i;

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
      const name = Buffer.from(record.subarray(tab + 1));
      pending.push(name);
      names.add(name, { within: "name" });
      yield `${object}\n`;
    }
  };
  const names = new NameSearch(search);
  // First by itself: in the pipe below its failure would be lost.
  await inRepository(() => textOfGit(git, list));
  await tolerateRefusal(search, () =>
    eachObject(search, askGit(git, ["cat-file", "--batch", "--buffer"], objects()), ({ type, found }) => {
      const name = pending.shift() ?? Buffer.alloc(0);
      if (type === MISSING) search.addUnread(name, "git's object is missing");
      else if (found.findings.length > 0) search.add({ file: search.shown(name) }, found);
    }),
  );
  names.flush();
}

/** A repository whose history is searched. */
interface SearchedRepository {
  readonly git: Git;
  readonly paths: readonly string[];
  /** A submodule, as its folder is shown. */
  readonly repository?: string;
}

/** A set of commits, for git's `rev-list` and `log`. */
interface Reach {
  readonly from: readonly string[];
  readonly onlyInReflog?: true;
}

/** The references to commits. The reflog has older stashes, and commits that were amended or whose branch was deleted. */
const REACHES: readonly Reach[] = [{ from: ["--all"] }, { from: ["--reflog", "--not", "--all"], onlyInReflog: true }];

/**
 * Searches files, messages, names of files, branches and tags: of branches, tags, the stash and the reflog, and of submodules
 * that are here. Links need no search of their own: git stores their targets as contents.
 *
 * @throws SophiaError (git, 125) if there is no repository
 */
export async function scanHistory(search: Search, git: Git, paths: readonly string[]): Promise<void> {
  const place = { git, paths };
  await inRepository(() => prepare(search, place));
  await searchRepository(search, place);
  const visited = new Set([(await folderOfGit(git)) ?? ""]);
  const unsearched: string[] = [];
  await searchSubmodules(search, place, Buffer.alloc(0), visited, unsearched);
  if (unsearched.length > 0) search.gaps.push({ kind: "submodules", files: unsearched });
}

async function prepare(search: Search, { git, paths, repository }: SearchedRepository): Promise<void> {
  const shallow = await textOfGit(git, ["rev-parse", "--is-shallow-repository"]);
  // Fails for paths outside of the repository, before the long search.
  await textOfGit(git, ["rev-list", "--max-count=0", "--all", "--", ...paths]);
  if (shallow.trim() === "true") search.gaps.push({ kind: "shallow", repository });
}

async function searchRepository(search: Search, place: SearchedRepository): Promise<void> {
  const { git, paths, repository } = place;
  const contents = new Map<string, Content>();
  // In the order of the storage, which is by far the fastest; the names of the findings are looked up later.
  const all = ["cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"];
  const tolerate = (work: () => Promise<void>): Promise<boolean> => tolerateRefusal(search, work, repository);
  await tolerate(() =>
    eachObject(search, askGit(git, all), (content) => {
      if (content.found.findings.length > 0) contents.set(content.object, content);
    }),
  );
  const isKnown = await tolerate(async () => {
    for (const reach of REACHES) await addReachable(search, place, contents, reach);
  });
  if (isKnown) {
    await tolerate(async () => {
      for (const reach of REACHES) await addNames(search, place, reach);
      if (paths.length > 0) return;
      await addRefs(search, place);
      if (contents.size > 0) await countUnreachable(search, place, contents);
    });
    return;
  }
  // Which of the others a branch reaches is unknown.
  for (const { object, type, found: findings } of contents.values()) {
    search.add({ file: "", repository, commit: type === "blob" ? undefined : object, object }, findings);
  }
}

/** Does work in which git may fail, as for a damaged object. @returns false if git failed */
async function tolerateRefusal(search: Search, work: () => Promise<void>, repository?: string): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    search.gaps.push({ kind: "refused", why: error.reason, repository });
    return false;
  }
}

/** Adds the findings in objects that are reached, and counts missing objects. Other objects exist only on this machine. */
async function addReachable(
  search: Search,
  { git, paths, repository }: SearchedRepository,
  contents: Map<string, Content>,
  { from, onlyInReflog }: Reach,
): Promise<void> {
  let searches = 0;
  let missing = 0;
  // --full-history: a parent may have a change of the paths that its merge dropped.
  const reached = ["rev-list", "--objects", "--missing=print", "--full-history", ...from, "--", ...paths];
  for await (const line of recordsOfGit(git, reached, NEWLINE)) {
    search.progress(0, ", now its commits");
    if (line[0] === QUESTION_MARK) missing += 1;
    const space = line.indexOf(" ");
    const object = line.subarray(0, space === -1 ? line.length : space).toString();
    const content = contents.get(object);
    if (content === undefined || content.type === "tree") continue;
    contents.delete(object);
    const name = space === -1 ? Buffer.alloc(0) : line.subarray(space + 1);
    searches += 1;
    const isSearched = searches <= MAX_COMMIT_SEARCHES;
    const commit = content.type !== "blob" ? object : isSearched ? await commitOf(git, object, from) : undefined;
    search.add({ file: search.shown(name), repository, commit, object, onlyInReflog }, content.found);
  }
  if (missing > 0) search.gaps.push({ kind: "missing", objects: missing, repository });
}

/** Yields the names of all files that a commit added. Renames count as such; a merge only for names that no parent has. */
async function addNames(
  search: Search,
  { git, paths, repository }: SearchedRepository,
  { from, onlyInReflog }: Reach,
): Promise<void> {
  const added = ["--diff-filter=A", "--name-only", "-z", "-c", "--root", "--no-renames", "--ignore-submodules=none"];
  const plain = ["--no-ext-diff", "--no-textconv", "--no-relative", "--full-history", "--reverse"];
  // With one path, git could follow renames out of it.
  const log = [
    "-c",
    "log.follow=false",
    "log",
    `--format=%x00${MARK.toString()}%H`,
    ...added,
    ...plain,
    ...from,
    "--",
    ...paths,
  ];
  const names = new NameSearch(search);
  let commit = "";
  for await (const record of recordsOfGit(git, log)) {
    search.progress(0, ", now names of files");
    if (record.subarray(0, MARK.length).equals(MARK)) commit = record.toString("latin1", MARK.length);
    else if (record.length > 0) {
      const name = record[0] === NEWLINE ? record.subarray(1) : record;
      names.add(name, { within: "name", repository, commit, onlyInReflog });
    }
  }
  names.flush();
}

async function addRefs(search: Search, { git, repository }: SearchedRepository): Promise<void> {
  const names = new NameSearch(search);
  for await (const name of recordsOfGit(git, ["for-each-ref", "--format=%(refname)"], NEWLINE)) {
    names.add(name, { within: "ref", repository });
  }
  names.flush();
}

/** Counts the other objects with secrets but those of the index, which `--staged` searches. */
async function countUnreachable(
  search: Search,
  { git, repository }: SearchedRepository,
  contents: Map<string, Content>,
): Promise<void> {
  const inIndex = ["rev-list", "--objects", "--missing=print", "--indexed-objects", "--not", "--all"];
  for await (const line of recordsOfGit(git, inIndex, NEWLINE))
    contents.delete(line.toString("latin1").split(" ")[0] ?? "");
  if (contents.size > 0) search.unreachable.push({ objects: contents.size, repository });
}

/** Searches the submodules of the index, and theirs, whose repositories are here. @param unsearched gets the others */
async function searchSubmodules(
  search: Search,
  { git, paths }: SearchedRepository,
  above: Buffer,
  visited: Set<string>,
  unsearched: string[],
): Promise<void> {
  // A bare repository has no index.
  if ((await textOfGit(git, ["rev-parse", "--is-inside-work-tree"])).trim() !== "true") return;
  const list = ["ls-files", "-z", "--stage", "--", ...(paths.length === 0 ? [":/"] : paths)];
  const folders: Buffer[] = [];
  for await (const record of recordsOfGit(git, list)) {
    if (record.toString("latin1").startsWith(`${GITLINK} `)) {
      folders.push(Buffer.from(record.subarray(record.indexOf("\t") + 1)));
    }
  }
  for (const folder of folders) {
    const name = Buffer.concat([above, folder]);
    const environment = new Map(Array.from(git.environment).filter(([variable]) => !OF_ONE_REPOSITORY.test(variable)));
    const inside: Git = { ...git, environment, cwd: resolve(git.cwd, folder.toString()) };
    const place = { git: inside, paths: [], repository: search.shown(name) };
    // Without a repository of its own git would find the one above.
    const own = await folderOfGit(inside);
    const isKnown = own === undefined || visited.has(own);
    const isRead = !isKnown && (await tolerateRefusal(search, () => prepare(search, place), place.repository));
    if (!isRead) {
      unsearched.push(place.repository);
      continue;
    }
    visited.add(own);
    await searchRepository(search, place);
    await searchSubmodules(search, place, Buffer.concat([name, Buffer.from("/")]), visited, unsearched);
  }
}

/** Returns the folder in which git stores a repository; undefined if there is none. */
async function folderOfGit(git: Git): Promise<string | undefined> {
  try {
    return (await textOfGit(git, ["rev-parse", "--absolute-git-dir"])).trim();
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return undefined;
  }
}

/** Returns the first commit with the object; undefined if git fails, as with missing folders. */
async function commitOf(git: Git, object: string, from: readonly string[]): Promise<string | undefined> {
  // Compares only the names of objects, and starts no program for a difference.
  const only = ["--no-ext-diff", "--no-textconv", "--no-renames", `--find-object=${object}`];
  try {
    const commits = await textOfGit(git, ["log", "--format=%H", ...only, ...from]);
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
