/**
 * The part of `sophia-run scan --history` that searches the history of a git repository and of its submodules:
 *
 * 1. Search all stored objects in the order in which git stores them, which is by far the fastest order.
 * 2. Ask `git rev-list` for the names of the objects with a secret, and which of them a branch, a tag, a stash or the reflog reaches.
 * 3. Search the names of files, branches and tags.
 */
import { resolve } from "node:path";
import { runGit, GitRefusal, readGitRecords, type Git } from "../../access/git-command.ts";
import {
  GITLINK_MODE,
  NEWLINE,
  requireRepository,
  type SearchedGitObject,
  searchGitObjects,
  readGitOutput,
  runDespiteGitRefusal,
} from "./git-objects.ts";
import { NameSearch } from "./scanned-names.ts";
import type { SecretSearch } from "./secret-search.ts";

/** `rev-list --missing=print` puts this byte before an object that is not in the repository. */
const QUESTION_MARK = 63;
/** The limit on objects whose commit is looked up, since git walks the whole history for each of them. Others have no commit. */
const MAX_COMMIT_SEARCHES = 100;
/** Marks a commit in the output of `git log`, among names of files. No such name begins with it, because git's paths are relative. */
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
  /** The paths to which the user restricts the search; empty for all. */
  readonly paths: readonly string[];
  /** The folder of a submodule, as messages show it; absent for the repository of the user. */
  readonly submoduleName?: string;
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
  const repository: SearchedRepository = { git, paths };
  await requireRepository(() => checkRepository(search, repository));
  await searchRepository(search, repository);
  const progress: SubmoduleProgress = {
    visitedGitFolders: new Set([(await findGitFolder(git)) ?? ""]),
    unsearchedSubmodules: [],
  };
  await searchSubmodules(search, repository, Buffer.alloc(0), progress);
  if (progress.unsearchedSubmodules.length > 0)
    search.gaps.push({ kind: "submodules", files: progress.unsearchedSubmodules });
}

/** Adds a gap if the clone is shallow. @throws GitRefusal if there is no repository, or for paths outside of it */
async function checkRepository(search: SecretSearch, { git, paths, submoduleName }: SearchedRepository): Promise<void> {
  const shallow = await readGitOutput(git, ["rev-parse", "--is-shallow-repository"]);
  // Git fails here for a path outside of the repository. That must happen before the long search.
  await readGitOutput(git, ["rev-list", "--max-count=0", "--all", "--", ...paths]);
  if (shallow.trim() === "true") search.gaps.push({ kind: "shallow", repository: submoduleName });
}

/** Searches one repository without its submodules. If git fails, adds a gap, and reports what was found until then. */
async function searchRepository(search: SecretSearch, repository: SearchedRepository): Promise<void> {
  const { git, paths, submoduleName } = repository;
  const tolerate = (work: () => Promise<void>): Promise<boolean> => runDespiteGitRefusal(search, work, submoduleName);
  /** By their ids, the objects with a secret that no commit is known to contain yet. */
  const objectsWithSecrets = new Map<string, SearchedGitObject>();
  const readAllObjectsCommand = ["cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"];
  await tolerate(() =>
    searchGitObjects(search, runGit(git, readAllObjectsCommand), (searchedObject) => {
      if (searchedObject.contentFindings.findings.length > 0) objectsWithSecrets.set(searchedObject.id, searchedObject);
    }),
  );
  const areCommitsRead = await tolerate(async () => {
    for (const commits of COMMIT_SETS) await addReachableObjects(search, repository, objectsWithSecrets, commits);
  });
  if (!areCommitsRead) {
    // For the remaining objects it is unknown whether a branch reaches them, so all are reported, without a name.
    for (const { id, type, contentFindings } of objectsWithSecrets.values()) {
      search.addFindings(
        { file: "", repository: submoduleName, commit: type === "blob" ? undefined : id, object: id },
        contentFindings,
      );
    }
    return;
  }
  await tolerate(async () => {
    for (const commits of COMMIT_SETS) await searchFileNames(search, repository, commits);
    // References and unreachable objects belong to no path, so a search of certain paths leaves them out.
    if (paths.length > 0) return;
    await searchRefNames(search, repository);
    if (objectsWithSecrets.size > 0) await countUnreachableObjects(search, repository, objectsWithSecrets);
  });
}

/**
 * Adds the findings in objects that the commits reach, removes these objects from the map, and counts missing objects. A line
 * of `rev-list --objects` is `OBJECT NAME`, or `OBJECT` for a commit, or `?OBJECT` for a missing object.
 */
async function addReachableObjects(
  search: SecretSearch,
  { git, paths, submoduleName }: SearchedRepository,
  objectsWithSecrets: Map<string, SearchedGitObject>,
  { revisions, onlyInReflog }: CommitSet,
): Promise<void> {
  let commitSearchCount = 0;
  let missingCount = 0;
  // With --full-history git also lists a change of the paths in a parent whose merge dropped that change.
  const listCommand = ["rev-list", "--objects", "--missing=print", "--full-history", ...revisions, "--", ...paths];
  for await (const line of readGitRecords(git, listCommand, NEWLINE)) {
    search.showProgress(0, ", now its commits");
    if (line[0] === QUESTION_MARK) missingCount += 1;
    const spaceIndex = line.indexOf(" ");
    const object = line.subarray(0, spaceIndex === -1 ? line.length : spaceIndex).toString();
    const searchedObject = objectsWithSecrets.get(object);
    // A tree contains only names, which `searchFileNames` searches.
    if (searchedObject === undefined || searchedObject.type === "tree") continue;
    objectsWithSecrets.delete(object);
    const name = spaceIndex === -1 ? Buffer.alloc(0) : line.subarray(spaceIndex + 1);
    commitSearchCount += 1;
    let commit: string | undefined;
    // The secret is in the message of a commit or of a tag, and the object is that commit or tag itself.
    if (searchedObject.type !== "blob") commit = object;
    else if (commitSearchCount <= MAX_COMMIT_SEARCHES) commit = await findCommit(git, object, revisions);
    search.addFindings(
      { file: search.maskName(name), repository: submoduleName, commit, object, onlyInReflog },
      searchedObject.contentFindings,
    );
  }
  if (missingCount > 0) search.gaps.push({ kind: "missing", objects: missingCount, repository: submoduleName });
}

/**
 * Searches the names of all files that some commit added. A commit that renames a file adds the new name. For a merge git lists
 * only the names that no parent has. Git's output has records such as `//COMMIT`, each followed by the names of the commit's files.
 */
async function searchFileNames(
  search: SecretSearch,
  { git, paths, submoduleName }: SearchedRepository,
  { revisions, onlyInReflog }: CommitSet,
): Promise<void> {
  const addedNameOptions = [
    "--diff-filter=A",
    "--name-only",
    "-z",
    "-c",
    "--root",
    "--no-renames",
    "--ignore-submodules=none",
  ];
  // The user's configuration must not change the output, or start a program.
  const stableOutputOptions = ["--no-ext-diff", "--no-textconv", "--no-relative", "--full-history", "--reverse"];
  const format = `--format=%x00${COMMIT_MARK.toString()}%H`;
  // With a single path, the user's setting log.follow would make git follow renames out of that path.
  const logCommand = ["-c", "log.follow=false", "log", format, ...addedNameOptions, ...stableOutputOptions];
  const names = new NameSearch(search);
  let commit = "";
  for await (const record of readGitRecords(git, [...logCommand, ...revisions, "--", ...paths])) {
    search.showProgress(0, ", now names of files");
    if (record.subarray(0, COMMIT_MARK.length).equals(COMMIT_MARK))
      commit = record.toString("latin1", COMMIT_MARK.length);
    else if (record.length > 0) {
      // Git writes a line break before the first name of a commit.
      const name = record[0] === NEWLINE ? record.subarray(1) : record;
      names.add(name, { within: "name", repository: submoduleName, commit, onlyInReflog });
    }
  }
  names.flush();
}

/** Searches the names of branches, tags and other references. */
async function searchRefNames(search: SecretSearch, { git, submoduleName }: SearchedRepository): Promise<void> {
  const names = new NameSearch(search);
  for await (const name of readGitRecords(git, ["for-each-ref", "--format=%(refname)"], NEWLINE)) {
    names.add(name, { within: "ref", repository: submoduleName });
  }
  names.flush();
}

/** Counts the remaining objects with secrets, which exist only in this clone, except for those in the index (see `--staged`). */
async function countUnreachableObjects(
  search: SecretSearch,
  { git, submoduleName }: SearchedRepository,
  objectsWithSecrets: Map<string, SearchedGitObject>,
): Promise<void> {
  const listIndexedCommand = ["rev-list", "--objects", "--missing=print", "--indexed-objects", "--not", "--all"];
  for await (const line of readGitRecords(git, listIndexedCommand, NEWLINE))
    objectsWithSecrets.delete(line.toString("latin1").split(" ")[0] ?? "");
  if (objectsWithSecrets.size > 0)
    search.unreachableObjects.push({ objects: objectsWithSecrets.size, repository: submoduleName });
}

/** The submodules that were searched so far, and those that could not be. */
interface SubmoduleProgress {
  /** The git folders of the repositories that were searched, so that each is searched once. */
  readonly visitedGitFolders: Set<string>;
  /** The names of the submodules that could not be searched. */
  readonly unsearchedSubmodules: string[];
}

/**
 * Searches the submodules that are checked out, and the submodules in them.
 *
 * @param prefix the folder of the repository within the user's repository, with a slash at its end; empty for the user's repository
 */
async function searchSubmodules(
  search: SecretSearch,
  { git, paths }: SearchedRepository,
  prefix: Buffer,
  progress: SubmoduleProgress,
): Promise<void> {
  // A bare repository has no index, so git could not list its submodules.
  if ((await readGitOutput(git, ["rev-parse", "--is-inside-work-tree"])).trim() !== "true") return;
  for (const folder of await listSubmodules(git, paths)) {
    const name = Buffer.concat([prefix, folder]);
    const submoduleName = search.maskName(name);
    const submodule: SearchedRepository = {
      git: createSubmoduleGit(resolve(git.cwd, folder.toString()), git),
      paths: [],
      submoduleName,
    };
    // In a submodule that is not checked out, git finds the repository around it, which was visited before.
    const gitFolder = await findGitFolder(submodule.git);
    const isUnvisited = gitFolder !== undefined && !progress.visitedGitFolders.has(gitFolder);
    const isReadable =
      isUnvisited && (await runDespiteGitRefusal(search, () => checkRepository(search, submodule), submoduleName));
    if (!isReadable) {
      progress.unsearchedSubmodules.push(submoduleName);
      continue;
    }
    progress.visitedGitFolders.add(gitFolder);
    await searchRepository(search, submodule);
    await searchSubmodules(search, submodule, Buffer.concat([name, Buffer.from("/")]), progress);
  }
}

/** Returns the folders of the submodules in git's index, relative to the working directory of git. */
async function listSubmodules(git: Git, paths: readonly string[]): Promise<readonly Buffer[]> {
  // The path `:/` means the whole repository, even if git's working directory is a folder in it.
  const listCommand = ["ls-files", "-z", "--stage", "--", ...(paths.length === 0 ? [":/"] : paths)];
  const folders: Buffer[] = [];
  // A record is `MODE OBJECT STAGE<tab>NAME`.
  for await (const record of readGitRecords(git, listCommand)) {
    if (record.toString("latin1").startsWith(`${GITLINK_MODE} `)) {
      folders.push(Buffer.from(record.subarray(record.indexOf("\t") + 1)));
    }
  }
  return folders;
}

/** Returns the surroundings in which git reads the repository of a submodule. */
function createSubmoduleGit(cwd: string, git: Git): Git {
  const environment = new Map(Array.from(git.environment).filter(([variable]) => !REPOSITORY_VARIABLES.test(variable)));
  return { ...git, environment, cwd };
}

/** Returns the folder in which git stores a repository; undefined if there is none. */
async function findGitFolder(git: Git): Promise<string | undefined> {
  try {
    return (await readGitOutput(git, ["rev-parse", "--absolute-git-dir"])).trim();
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return undefined;
  }
}

/** Returns the first commit with the object; undefined if git fails, for example because a partial clone lacks objects. */
async function findCommit(git: Git, object: string, revisions: readonly string[]): Promise<string | undefined> {
  // With these options git compares only the ids of objects, and does not start a program that the user has set for differences.
  const options = ["--no-ext-diff", "--no-textconv", "--no-renames", `--find-object=${object}`];
  try {
    const commits = await readGitOutput(git, ["log", "--format=%H", ...options, ...revisions]);
    return commits.trim().split("\n").at(-1) || undefined;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return undefined;
  }
}
