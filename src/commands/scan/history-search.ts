/**
 * Searches the history of a git repository and of its submodules. First all stored objects are searched in the order of the
 * storage, which is by far the fastest. Then `git rev-list` gives the names of those with a secret, and says which of them a
 * branch, a tag, a stash or the reflog reaches. The names of files and references are searched by themselves.
 */
import { resolve } from "node:path";
import { askGit, GitRefusal, recordsOfGit, type Git } from "../../access/git-command.ts";
import {
  GITLINK_MODE,
  NEWLINE,
  requireRepository,
  type SearchedObject,
  searchObjects,
  textOfGit,
  tolerateRefusal,
} from "./git-objects.ts";
import { NameSearch } from "./scanned-names.ts";
import type { SecretSearch } from "./secret-search.ts";

/** `rev-list --missing=print` puts this byte before an object that is not in the repository. */
const QUESTION_MARK = 63;
/** The limit on objects whose commit is looked up, since git walks the history for each of them. */
const MAX_COMMIT_SEARCHES = 100;
/** Stands before a commit in a list of names. No name of a file begins so, because git's paths are relative. */
const COMMIT_MARK = Buffer.from("//");

/**
 * Variables that git sets for hooks, and that name the repository of the hook (`git rev-parse --local-env-vars`). In a
 * submodule git must not see them, or it would read that repository again.
 */
const REPOSITORY_VARIABLES =
  /^GIT_(?:DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|PREFIX|GRAFT_FILE|SHALLOW_FILE|IMPLICIT_WORK_TREE)$/i;

/** A repository whose history is searched. */
interface SearchedRepository {
  readonly git: Git;
  readonly paths: readonly string[];
  /** The folder of a submodule, as messages show it. */
  readonly repository?: string;
}

/** A set of commits, as arguments of git's `rev-list` and `log`. */
interface CommitSet {
  readonly revisions: readonly string[];
  readonly onlyInReflog?: true;
}

/** The commits of all references, then those that only the reflog has: older stashes, amended commits, deleted branches. */
const COMMIT_SETS: readonly CommitSet[] = [
  { revisions: ["--all"] },
  { revisions: ["--reflog", "--not", "--all"], onlyInReflog: true },
];

/**
 * Searches the files, their names and the messages of all commits, the names of branches and tags, and the same in submodules
 * that are checked out. Links need no search of their own, because git stores their targets as objects.
 *
 * @throws SophiaError (git, 125) if there is no repository
 */
export async function scanHistory(search: SecretSearch, git: Git, paths: readonly string[]): Promise<void> {
  const searched: SearchedRepository = { git, paths };
  await requireRepository(() => checkRepository(search, searched));
  await searchRepository(search, searched);
  const visited = new Set([(await folderOfGit(git)) ?? ""]);
  const unsearched: string[] = [];
  await searchSubmodules(search, searched, Buffer.alloc(0), visited, unsearched);
  if (unsearched.length > 0) search.gaps.push({ kind: "submodules", files: unsearched });
}

/** Notes whether the clone is shallow. @throws GitRefusal if there is no repository, or for paths outside of it */
async function checkRepository(search: SecretSearch, { git, paths, repository }: SearchedRepository): Promise<void> {
  const shallow = await textOfGit(git, ["rev-parse", "--is-shallow-repository"]);
  // Git fails here for a path outside of the repository. That must happen before the long search.
  await textOfGit(git, ["rev-list", "--max-count=0", "--all", "--", ...paths]);
  if (shallow.trim() === "true") search.gaps.push({ kind: "shallow", repository });
}

async function searchRepository(search: SecretSearch, searched: SearchedRepository): Promise<void> {
  const { git, paths, repository } = searched;
  const tolerate = (work: () => Promise<void>): Promise<boolean> => tolerateRefusal(search, work, repository);
  /** The objects with a secret whose place is not known yet, by their ids. */
  const objects = new Map<string, SearchedObject>();
  const allObjects = ["cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"];
  await tolerate(() =>
    searchObjects(search, askGit(git, allObjects), (searchedObject) => {
      if (searchedObject.found.findings.length > 0) objects.set(searchedObject.object, searchedObject);
    }),
  );
  const areCommitsRead = await tolerate(async () => {
    for (const commits of COMMIT_SETS) await addReachable(search, searched, objects, commits);
  });
  if (!areCommitsRead) {
    // Which of the remaining objects a branch reaches is unknown, so all are reported without a name.
    for (const { object, type, found } of objects.values()) {
      search.add({ file: "", repository, commit: type === "blob" ? undefined : object, object }, found);
    }
    return;
  }
  await tolerate(async () => {
    for (const commits of COMMIT_SETS) await addNames(search, searched, commits);
    // References and unreachable objects belong to no path.
    if (paths.length > 0) return;
    await addRefs(search, searched);
    if (objects.size > 0) await countUnreachable(search, searched, objects);
  });
}

/**
 * Adds the findings in objects that the commits reach, removes these objects from the map, and counts missing objects. A line
 * of `rev-list --objects` is `OBJECT NAME`, or `OBJECT` for a commit, or `?OBJECT` for a missing object.
 */
async function addReachable(
  search: SecretSearch,
  { git, paths, repository }: SearchedRepository,
  objects: Map<string, SearchedObject>,
  { revisions, onlyInReflog }: CommitSet,
): Promise<void> {
  let commitSearches = 0;
  let missing = 0;
  // With --full-history git also lists a change of the paths in a parent whose merge dropped that change.
  const listCommand = ["rev-list", "--objects", "--missing=print", "--full-history", ...revisions, "--", ...paths];
  for await (const line of recordsOfGit(git, listCommand, NEWLINE)) {
    search.showProgress(0, ", now its commits");
    if (line[0] === QUESTION_MARK) missing += 1;
    const space = line.indexOf(" ");
    const object = line.subarray(0, space === -1 ? line.length : space).toString();
    const searchedObject = objects.get(object);
    if (searchedObject === undefined || searchedObject.type === "tree") continue;
    objects.delete(object);
    const name = space === -1 ? Buffer.alloc(0) : line.subarray(space + 1);
    commitSearches += 1;
    let commit: string | undefined;
    // The message of a commit or a tag is an object of its own.
    if (searchedObject.type !== "blob") commit = object;
    else if (commitSearches <= MAX_COMMIT_SEARCHES) commit = await findCommit(git, object, revisions);
    search.add({ file: search.maskName(name), repository, commit, object, onlyInReflog }, searchedObject.found);
  }
  if (missing > 0) search.gaps.push({ kind: "missing", objects: missing, repository });
}

/**
 * Searches the names of all files that a commit added. A renamed file is added under its new name. Of a merge git lists only
 * the names that no parent has. In git's output each commit is `//COMMIT`, followed by the names of its files.
 */
async function addNames(
  search: SecretSearch,
  { git, paths, repository }: SearchedRepository,
  { revisions, onlyInReflog }: CommitSet,
): Promise<void> {
  const onlyAdded = [
    "--diff-filter=A",
    "--name-only",
    "-z",
    "-c",
    "--root",
    "--no-renames",
    "--ignore-submodules=none",
  ];
  // The user's configuration must not change the output, or start a program.
  const fixedOutput = ["--no-ext-diff", "--no-textconv", "--no-relative", "--full-history", "--reverse"];
  const format = `--format=%x00${COMMIT_MARK.toString()}%H`;
  // With one path, git could follow renames out of that path.
  const logCommand = ["-c", "log.follow=false", "log", format, ...onlyAdded, ...fixedOutput];
  const names = new NameSearch(search);
  let commit = "";
  for await (const record of recordsOfGit(git, [...logCommand, ...revisions, "--", ...paths])) {
    search.showProgress(0, ", now names of files");
    if (record.subarray(0, COMMIT_MARK.length).equals(COMMIT_MARK))
      commit = record.toString("latin1", COMMIT_MARK.length);
    else if (record.length > 0) {
      // Git writes a line break before the first name of a commit.
      const name = record[0] === NEWLINE ? record.subarray(1) : record;
      names.add(name, { within: "name", repository, commit, onlyInReflog });
    }
  }
  names.flush();
}

/** Searches the names of branches, tags and other references. */
async function addRefs(search: SecretSearch, { git, repository }: SearchedRepository): Promise<void> {
  const names = new NameSearch(search);
  for await (const name of recordsOfGit(git, ["for-each-ref", "--format=%(refname)"], NEWLINE)) {
    names.add(name, { within: "ref", repository });
  }
  names.flush();
}

/** Counts the remaining objects with secrets, which exist only in this clone. Objects of the index are left to `--staged`. */
async function countUnreachable(
  search: SecretSearch,
  { git, repository }: SearchedRepository,
  objects: Map<string, SearchedObject>,
): Promise<void> {
  const inIndex = ["rev-list", "--objects", "--missing=print", "--indexed-objects", "--not", "--all"];
  for await (const line of recordsOfGit(git, inIndex, NEWLINE))
    objects.delete(line.toString("latin1").split(" ")[0] ?? "");
  if (objects.size > 0) search.unreachable.push({ objects: objects.size, repository });
}

/**
 * Searches the submodules that are checked out, and theirs.
 *
 * @param above the folder of the repository from the top, with a slash at its end; empty at the top
 * @param visited the folders of the repositories that were searched, so that each is searched once
 * @param unsearched gets the names of the submodules that could not be searched
 */
async function searchSubmodules(
  search: SecretSearch,
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
    if (record.toString("latin1").startsWith(`${GITLINK_MODE} `)) {
      folders.push(Buffer.from(record.subarray(record.indexOf("\t") + 1)));
    }
  }
  for (const folder of folders) {
    const name = Buffer.concat([above, folder]);
    const environment = new Map(
      Array.from(git.environment).filter(([variable]) => !REPOSITORY_VARIABLES.test(variable)),
    );
    const inside: Git = { ...git, environment, cwd: resolve(git.cwd, folder.toString()) };
    const searched = { git: inside, paths: [], repository: search.maskName(name) };
    // In a submodule that is not checked out git finds the repository above, which is in the set.
    const gitFolder = await folderOfGit(inside);
    const isUnvisited = gitFolder !== undefined && !visited.has(gitFolder);
    const isRead =
      isUnvisited && (await tolerateRefusal(search, () => checkRepository(search, searched), searched.repository));
    if (!isRead) {
      unsearched.push(searched.repository);
      continue;
    }
    visited.add(gitFolder);
    await searchRepository(search, searched);
    await searchSubmodules(search, searched, Buffer.concat([name, Buffer.from("/")]), visited, unsearched);
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
async function findCommit(git: Git, object: string, revisions: readonly string[]): Promise<string | undefined> {
  // Git compares only the ids of objects, and starts no program for a difference.
  const options = ["--no-ext-diff", "--no-textconv", "--no-renames", `--find-object=${object}`];
  try {
    const commits = await textOfGit(git, ["log", "--format=%H", ...options, ...revisions]);
    return commits.trim().split("\n").at(-1) || undefined;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return undefined;
  }
}
