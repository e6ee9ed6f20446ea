// Writes the patches of QuickJS (runtime/quickjs) again, for another version of QuickJS or after a change:
//
//   node runtime/build/refresh-patches.mjs          # for the version in versions.mjs
//   node runtime/build/refresh-patches.mjs --edit   # makes .cache/quickjs-patches, to change patches there
//
// .cache/quickjs-patches is a git repository: a commit with the sources as they are published, then a commit for each patch.
// The first run makes it, and stops if a patch does not apply to a new version, so that the maintainer can correct that commit.
// The run after that writes a patch for each commit, and removes the repository.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { BuildFailure, runScript } from "./failure.mjs";
import { keyOf } from "./parts/key.mjs";
import { VERSIONS } from "./parts/versions.mjs";
import { git, patchesIn, REFRESH } from "./patches.mjs";
import { PATCHES, publishedQuickjs } from "./quickjs.mjs";

/** Settings of the repository, which those of whoever works in it must not replace. */
const SETTINGS = {
  "user.name": "sophia-run",
  "user.email": "patches@localhost",
  "commit.gpgSign": "false",
  "core.autocrlf": "false",
  "core.hooksPath": "/dev/null",
};

/** The commit with the sources as they are published. */
const PUBLISHED = "refs/tags/published";

/** A setting of the repository: the sum of the sources and patches that it was made of. */
const MADE_OF = "sophia-run.made-of";

/** The same commits give the same patches, with the sums that patches.mjs compares. */
const DIFF = [
  "diff",
  "--full-index",
  "--unified=3",
  "--diff-algorithm=histogram",
  "--no-renames",
  "--no-color",
  "--no-ext-diff",
  "--no-textconv",
  "--src-prefix=a/",
  "--dst-prefix=b/",
];

/**
 * @typedef {object} Series patches of the sources of one library
 * @property {string} version name and version of the library
 * @property {string} published the folder of the sources as they are published
 * @property {string} patches the folder of the patches
 * @property {string} work the folder of the repository
 */

/**
 * Makes the repository, if there is none, and writes the patches of its commits.
 *
 * @param {Series} series
 * @returns the names of the patches that were changed, added or removed
 * @throws BuildFailure if a patch does not apply, or a commit is no patch
 */
export function refreshPatches(series) {
  if (!existsSync(series.work)) editPatches(series);
  const texts = patchesOfCommits(series);
  const former = new Map(patchesIn(series.patches).map((path) => [basename(path), readFileSync(path, "utf8")]));
  const names = Array.from(new Set([...former.keys(), ...texts.keys()]));
  const changed = names
    .filter((name) => former.get(name) !== texts.get(name))
    .toSorted((one, other) => one.localeCompare(other));
  for (const name of changed) {
    const path = join(series.patches, name);
    if (texts.has(name)) writeFileSync(path, texts.get(name));
    else rmSync(path);
  }
  rmSync(series.work, { recursive: true });
  return changed;
}

/**
 * Makes the repository.
 *
 * @param {Series} series
 * @throws BuildFailure if a patch does not apply: git waits in the repository for the correction
 */
export function editPatches(series) {
  const { version, published, patches, work } = series;
  if (existsSync(work)) throw new BuildFailure(`${shown(work)} exists: ${REFRESH} writes the patches of its commits`);
  try {
    cpSync(published, work, { recursive: true });
    gitIn(work, ["init", "--quiet"]);
    for (const [name, value] of Object.entries(SETTINGS)) gitIn(work, ["config", name, value]);
    gitIn(work, ["add", "--all", "--force"]);
    gitIn(work, ["commit", "--quiet", "--message", version]);
    gitIn(work, ["update-ref", PUBLISHED, "HEAD"]);
    gitIn(work, ["config", MADE_OF, madeOf(series)]);
  } catch (problem) {
    rmSync(work, { recursive: true, force: true });
    throw problem;
  }
  const paths = patchesIn(patches);
  if (paths.length === 0) return;
  const mails = paths.map((path) => asMail(readFileSync(path, "utf8"))).join("");
  // git puts the parts that do not apply into files (.rej), since it has no earlier texts for a merge.
  const { status, stderr } = git(work, ["am", "--quiet", "--keep", "--reject", "--whitespace=nowarn"], mails);
  if (status === 0) return;
  const next = Number(readFileSync(join(work, ".git/rebase-apply/next"), "utf8"));
  const [, reason = stderr.trim()] = /^error: (.*[^:])$/m.exec(stderr) ?? [];
  throw new BuildFailure(`${basename(paths[next - 1])} does not apply to ${version}: ${reason}\n${remedy(work)}`);
}

/** Returns the texts of the patches by name. */
function patchesOfCommits({ work, ...series }) {
  const inGit = (name) => existsSync(join(work, ".git", name));
  if (inGit("rebase-apply/applying")) throw new BuildFailure(`a patch does not apply yet\n${remedy(work)}`);
  if (inGit("rebase-apply") || inGit("rebase-merge"))
    throw new BuildFailure(`${shown(work)} is in a rebase\n  end it: git -C ${shown(work)} rebase --continue`);
  if (git(work, ["config", MADE_OF]).stdout.trim() !== madeOf(series))
    throw new BuildFailure(
      `${shown(work)} was made of other sources or patches than there are now\n` +
        `  keep what you need of it, remove it, and run ${REFRESH} --edit`,
    );
  const uncommitted = statusOf(work).filter((path) => !path.endsWith(".rej"));
  if (uncommitted.length > 0)
    throw new BuildFailure(`${shown(work)} has changes that are in no commit: ${uncommitted.join(", ")}`);
  const commits = gitIn(work, ["rev-list", "--reverse", `${PUBLISHED}..HEAD`])
    .split("\n")
    .slice(0, -1);
  return new Map(
    commits.map((commit, index) => {
      const message = gitIn(work, ["log", "-1", "--format=%B", commit]).trim();
      const [subject, ...reason] = message.split("\n");
      if (reason.length === 0)
        throw new BuildFailure(
          `${shown(work)}: the commit "${subject}" has only a title: say below it why it is there`,
        );
      const number = String(index + 1).padStart(2, "0");
      const name = subject
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "-")
        .replaceAll(/^-|-$/g, "");
      return [`${number}-${name}.patch`, `${message}\n\n${gitIn(work, [...DIFF, `${commit}^`, commit])}`];
    }),
  );
}

/** Returns a patch in the form that `git am` reads. */
function asMail(patch) {
  const [subject, ...rest] = patch.split("\n");
  const from = "From: sophia-run <patches@localhost>\nDate: Thu, 1 Jan 1970 00:00:00 +0000\n";
  const type = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n";
  return `From ${"0".repeat(40)} Mon Sep 17 00:00:00 2001\n${from}Subject: ${subject}\n${type}\n${rest.join("\n")}`;
}

/** Returns how to go on after a patch that does not apply. */
function remedy(work) {
  const rejected = statusOf(work).filter((path) => path.endsWith(".rej"));
  const changes = rejected.length > 0 ? `the changes in ${rejected.join(", ")}` : "its changes";
  return [
    `  make ${changes} by hand in ${shown(work)}, then run`,
    `    git -C ${shown(work)} add --update`,
    `    git -C ${shown(work)} am --continue`,
    `    ${REFRESH}`,
  ].join("\n");
}

/** Returns the paths of files that differ from the last commit, or are in none. */
function statusOf(work) {
  const lines = gitIn(work, ["status", "--porcelain", "--untracked-files=all"]).split("\n").slice(0, -1);
  return lines.map((line) => line.slice(3));
}

/** Returns a sum of what the repository is made of. */
function madeOf({ version, patches }) {
  const texts = patchesIn(patches).map((path) => [basename(path), readFileSync(path, "utf8")]);
  return keyOf(version, texts);
}

/** Runs git in the repository. @returns its output */
function gitIn(work, args) {
  const { error, status, stdout, stderr } = git(work, args);
  if (error?.code === "ENOENT") throw new BuildFailure("there is no git: install git");
  if (error !== undefined || status !== 0)
    throw new BuildFailure(`git ${args[0]} failed in ${shown(work)}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

function shown(path) {
  return relative(process.cwd(), path);
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, "../..");
  const { name, version } = VERSIONS.quickjs.holds;
  const work = join(root, ".cache", "quickjs-patches");
  await runScript(() => {
    const series = {
      version: `${name} ${version}`,
      published: publishedQuickjs(root),
      patches: join(root, PATCHES),
      work,
    };
    const [option] = process.argv.slice(2);
    if (option !== undefined && option !== "--edit") throw new BuildFailure(`no option ${option}; there is --edit`);
    if (option === "--edit") {
      editPatches(series);
      process.stdout.write(
        `${shown(work)} has a commit for each patch; ${REFRESH} writes the patches of its commits\n`,
      );
      return;
    }
    const changed = refreshPatches(series);
    process.stdout.write(changed.length === 0 ? "no patch has changed\n" : `${changed.join("\n")}\n`);
  });
}
