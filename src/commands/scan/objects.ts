/** Git's objects: those of the index, and those of all commits. */
import { SophiaError } from "../../core/error.ts";
import { askGit, GitRefusal, recordsOfGit, type Git } from "../git.ts";
import type { Found } from "./inspect.ts";
import type { Session } from "./session.ts";

const GITLINK = "160000";
const NEWLINE = 10;
const QUESTION_MARK = 63;
/** The number of objects whose commits git is asked for: each question searches the history. */
const MOST_QUESTIONS = 100;
const MISSING = "missing";

interface Content {
  readonly object: string;
  readonly type: string;
  readonly found: Found;
}

/** Searches the objects of the index. @throws SophiaError (git, 125) if there is no repository */
export async function scanIndex(session: Session, git: Git, paths: readonly string[]): Promise<void> {
  const list = ["ls-files", "-z", "--stage", "--", ...paths];
  /** The names of the objects that git was asked for and has not given yet. */
  const asked: Buffer[] = [];
  const objects = async function* (): AsyncGenerator<string> {
    for await (const record of recordsOfGit(git, list)) {
      const tab = record.indexOf("\t");
      const [mode, object] = record.subarray(0, tab).toString().split(" ");
      if (mode === GITLINK || object === undefined) continue;
      asked.push(Buffer.from(record.subarray(tab + 1)));
      yield `${object}\n`;
    }
  };
  // By itself first: its failure would be lost while its answer is passed on.
  await refused(() => text(git, list));
  await asFarAsItGoes(session, () =>
    eachObject(session, askGit(git, ["cat-file", "--batch", "--buffer"], objects()), ({ type, found }) => {
      const name = asked.shift() ?? Buffer.alloc(0);
      if (type === MISSING) session.skipped(session.shown(name), "git's object is missing");
      else if (found.findings.length > 0) session.found({ file: session.shown(name) }, found);
    }),
  );
}

/**
 * Searches the files and messages that branches, tags and the stash reach.
 *
 * @throws SophiaError (git, 125) if there is no repository
 */
export async function scanHistory(session: Session, git: Git, paths: readonly string[]): Promise<void> {
  const found = new Map<string, Content>();
  await refused(async () => {
    const shallow = await text(git, ["rev-parse", "--is-shallow-repository"]);
    if (shallow.trim() === "true") session.lacks({ kind: "shallow" });
    // Refuses paths outside of the repository, before the long search.
    await text(git, ["rev-list", "--max-count=0", "--all", "--", ...paths]);
  });
  // In the order of the storage, which is by far the fastest; names follow for the findings.
  const all = ["cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"];
  await asFarAsItGoes(session, () =>
    eachObject(session, askGit(git, all), (content) => {
      if (content.found.findings.length > 0) found.set(content.object, content);
    }),
  );
  if (await asFarAsItGoes(session, () => nameFound(session, git, found, paths))) return;
  // It is not known which of them a branch reaches.
  for (const { object, type, found: there } of found.values()) {
    session.found({ file: "", commit: type === "commit" ? object : undefined, object }, there);
  }
}

/** Does work that git may refuse in the middle, as for a damaged object. @returns false if it did */
async function asFarAsItGoes(session: Session, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    session.lacks({ kind: "refused", why: error.reason });
    return false;
  }
}

/** Reports the findings in objects that a branch reaches, and those that are missing: others exist on this machine only. */
async function nameFound(
  session: Session,
  git: Git,
  found: Map<string, Content>,
  paths: readonly string[],
): Promise<void> {
  let questions = 0;
  let missing = 0;
  // With all parents of a merge: one may have a change of the paths that the merge dropped.
  const reached = ["rev-list", "--objects", "--all", "--missing=print", "--full-history", "--", ...paths];
  for await (const line of recordsOfGit(git, reached, NEWLINE)) {
    if (line[0] === QUESTION_MARK) missing += 1;
    const space = line.indexOf(" ");
    const object = line.subarray(0, space === -1 ? line.length : space).toString();
    const there = found.get(object);
    if (there === undefined || there.type === "tree") continue;
    found.delete(object);
    const name = space === -1 ? Buffer.alloc(0) : line.subarray(space + 1);
    questions += 1;
    const isAsked = questions <= MOST_QUESTIONS;
    const commit = there.type !== "blob" ? object : isAsked ? await commitOf(git, object) : undefined;
    session.found({ file: session.shown(name), commit, object }, there.found);
  }
  if (missing > 0) session.lacks({ kind: "missing", objects: missing });
}

/** Returns the first commit that has the object; undefined if git cannot tell, as with missing folders. */
async function commitOf(git: Git, object: string): Promise<string | undefined> {
  // Compares names of objects alone: reads none, and starts no program for a difference.
  const only = ["--no-ext-diff", "--no-textconv", "--no-renames", `--find-object=${object}`];
  try {
    const commits = await text(git, ["log", "--all", "--format=%H", ...only]);
    return commits.trim().split("\n").at(-1) || undefined;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    return undefined;
  }
}

async function text(git: Git, args: readonly string[]): Promise<string> {
  let all = "";
  for await (const chunk of askGit(git, args)) all += chunk.toString();
  return all;
}

async function refused(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    throw new SophiaError({
      code: "git",
      message: `git cannot read a repository here: ${error.reason}`,
      hint: "--staged and --history are for a git repository; without them files are searched",
    });
  }
}

/** Reads the output of `git cat-file --batch`: for each object a line with its name, type and size, and its content. */
async function eachObject(
  session: Session,
  output: AsyncIterable<Buffer>,
  done: (content: Content) => void,
): Promise<void> {
  let header = "";
  let object = "";
  let type = "";
  /** The rest of the content with the line end behind it. */
  let left = 0;
  let inspection = session.inspection();
  for await (const chunk of output) {
    for (let at = 0; at < chunk.length;) {
      if (left === 0) {
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
        [object, type, left] = [name, kind, Number(size) + 1];
        inspection = session.inspection();
      }
      const length = Math.min(left, chunk.length - at);
      left -= length;
      // A tree has names alone.
      const content = Math.max(0, left === 0 ? length - 1 : length);
      if (type !== "tree") inspection.read(chunk.subarray(at, at + content), left > 1);
      at += length;
      session.progress(content);
      if (left > 0) continue;
      session.count(0);
      done({ object, type, found: inspection.found() });
    }
  }
}
