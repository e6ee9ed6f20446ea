// Writes the patches of QuickJS (runtime/quickjs) again. A maintainer runs it for another version of QuickJS, or to change a patch:
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
import { cacheKeyOf } from "./parts/key.mjs";
import { PACKAGES } from "./parts/versions.mjs";
import { git, listPatches, REFRESH_COMMAND } from "./patches.mjs";
import { fetchQuickjs, PATCHES_FOLDER } from "./quickjs.mjs";

/** Settings of the repository, which take precedence over the maintainer's own settings. */
const GIT_SETTINGS = {
  "user.name": "sophia-run",
  "user.email": "patches@localhost",
  "commit.gpgSign": "false",
  "core.autocrlf": "false",
  "core.hooksPath": "/dev/null",
};

/** The tag of the commit with the sources as they are published. */
const PUBLISHED_TAG = "refs/tags/published";

/** The setting of the repository that stores the key of the sources and patches from which it was made. */
const INPUTS_SETTING = "sophia-run.made-of";

/**
 * The command that writes a patch. Its options make the patch the same on each machine, and add the checksums that patches.mjs
 * compares.
 */
const DIFF_COMMAND = [
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
 * @typedef {object} PatchSeries the patches of one library
 * @property {string} version the name and the version of the library
 * @property {string} publishedFolder the folder of the sources as they are published
 * @property {string} patchesFolder the folder of the patches
 * @property {string} work the folder of the git repository in which the maintainer changes the patches
 */

/**
 * Makes the repository, if there is none, and writes the patches of its commits.
 *
 * @param {PatchSeries} series
 * @returns the names of the patches that were changed, added or removed
 * @throws BuildFailure if a patch does not apply, or a commit is no patch
 */
export function refreshPatches(series) {
  const { patchesFolder, work } = series;
  if (!existsSync(work)) makeRepository(series);
  const newTexts = readPatchesOfCommits(series);
  const formerTexts = new Map(listPatches(patchesFolder).map((path) => [basename(path), readFileSync(path, "utf8")]));
  const names = Array.from(new Set([...formerTexts.keys(), ...newTexts.keys()]));
  const changedNames = names
    .filter((name) => formerTexts.get(name) !== newTexts.get(name))
    .toSorted((one, other) => one.localeCompare(other));
  for (const name of changedNames) {
    const path = join(patchesFolder, name);
    if (newTexts.has(name)) writeFileSync(path, newTexts.get(name));
    else rmSync(path);
  }
  rmSync(work, { recursive: true });
  return changedNames;
}

/**
 * Makes the repository, with a commit for the published sources and a commit for each patch.
 *
 * @param {PatchSeries} series
 * @throws BuildFailure if a patch does not apply: git waits in the repository for the correction
 */
export function makeRepository(series) {
  const { version, publishedFolder, patchesFolder, work } = series;
  if (existsSync(work))
    throw new BuildFailure(`${relativePathOf(work)} exists: ${REFRESH_COMMAND} writes the patches of its commits`);
  try {
    cpSync(publishedFolder, work, { recursive: true });
    gitIn(work, ["init", "--quiet"]);
    for (const [name, value] of Object.entries(GIT_SETTINGS)) gitIn(work, ["config", name, value]);
    gitIn(work, ["add", "--all", "--force"]);
    gitIn(work, ["commit", "--quiet", "--message", version]);
    gitIn(work, ["update-ref", PUBLISHED_TAG, "HEAD"]);
    gitIn(work, ["config", INPUTS_SETTING, inputsKeyOf(series)]);
  } catch (problem) {
    rmSync(work, { recursive: true, force: true });
    throw problem;
  }
  const paths = listPatches(patchesFolder);
  if (paths.length === 0) return;
  const mails = paths.map((path) => formatMail(readFileSync(path, "utf8"))).join("");
  // With --reject, git writes the parts that do not apply into files (.rej). It has no earlier texts with which it could merge them.
  const { status, stderr } = git(work, ["am", "--quiet", "--keep", "--reject", "--whitespace=nowarn"], mails);
  if (status === 0) return;
  // git counts the patches from 1.
  const failedNumber = Number(readFileSync(join(work, ".git/rebase-apply/next"), "utf8"));
  const [, reason = stderr.trim()] = /^error: (.*[^:])$/m.exec(stderr) ?? [];
  throw new BuildFailure(
    `${basename(paths[failedNumber - 1])} does not apply to ${version}: ${reason}\n${describeRemedy(work)}`,
  );
}

/** Returns the text of a patch for each commit, by the name of the patch. */
function readPatchesOfCommits(series) {
  const { work } = series;
  expectCompleteCommits(series);
  const commits = gitIn(work, ["rev-list", "--reverse", `${PUBLISHED_TAG}..HEAD`])
    .split("\n")
    .slice(0, -1);
  return new Map(
    commits.map((commit, index) => {
      const message = gitIn(work, ["log", "-1", "--format=%B", commit]).trim();
      const [subject, ...reason] = message.split("\n");
      if (reason.length === 0)
        throw new BuildFailure(
          `${relativePathOf(work)}: the commit "${subject}" has only a title: say below it why it is there`,
        );
      return [patchName(subject, index + 1), `${message}\n\n${gitIn(work, [...DIFF_COMMAND, `${commit}^`, commit])}`];
    }),
  );
}

/** Returns the name of a patch, such as `01-fixed-objects.patch` for "Fixed objects". */
function patchName(subject, number) {
  const name = subject
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return `${String(number).padStart(2, "0")}-${name}.patch`;
}

/** @throws BuildFailure if a patch or a change is not in a commit yet, or if the repository was made from other sources or patches */
function expectCompleteCommits(series) {
  const { work } = series;
  const hasStateOf = (name) => existsSync(join(work, ".git", name));
  if (hasStateOf("rebase-apply/applying"))
    throw new BuildFailure(`a patch does not apply yet\n${describeRemedy(work)}`);
  if (hasStateOf("rebase-apply") || hasStateOf("rebase-merge"))
    throw new BuildFailure(
      `${relativePathOf(work)} is in a rebase\n  end it: git -C ${relativePathOf(work)} rebase --continue`,
    );
  if (git(work, ["config", INPUTS_SETTING]).stdout.trim() !== inputsKeyOf(series))
    throw new BuildFailure(
      `${relativePathOf(work)} was made of other sources or patches than there are now\n` +
        `  keep what you need of it, remove it, and run ${REFRESH_COMMAND} --edit`,
    );
  const uncommitted = listUncommittedFiles(work).filter((path) => !path.endsWith(".rej"));
  if (uncommitted.length > 0)
    throw new BuildFailure(`${relativePathOf(work)} has changes that are in no commit: ${uncommitted.join(", ")}`);
}

/** Returns a patch in the form of a mail, which `git am` reads. The first line of the patch becomes the subject. */
function formatMail(patch) {
  const [subject, ...rest] = patch.split("\n");
  const from = "From: sophia-run <patches@localhost>\nDate: Thu, 1 Jan 1970 00:00:00 +0000\n";
  const type = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n";
  return `From ${"0".repeat(40)} Mon Sep 17 00:00:00 2001\n${from}Subject: ${subject}\n${type}\n${rest.join("\n")}`;
}

/** Describes how the maintainer continues after a patch that does not apply. */
function describeRemedy(work) {
  const rejected = listUncommittedFiles(work).filter((path) => path.endsWith(".rej"));
  const changes = rejected.length > 0 ? `the changes in ${rejected.join(", ")}` : "its changes";
  return [
    `  make ${changes} by hand in ${relativePathOf(work)}, then run`,
    `    git -C ${relativePathOf(work)} add --update`,
    `    git -C ${relativePathOf(work)} am --continue`,
    `    ${REFRESH_COMMAND}`,
  ].join("\n");
}

/** Lists the paths of files that differ from the last commit, or are not in it. A line of git's output is ` M quickjs.c`. */
function listUncommittedFiles(work) {
  const lines = gitIn(work, ["status", "--porcelain", "--untracked-files=all"]).split("\n").slice(0, -1);
  return lines.map((line) => line.slice(3));
}

/** Returns a key of the sources and patches from which the repository is made. */
function inputsKeyOf({ version, patchesFolder }) {
  const patchTexts = listPatches(patchesFolder).map((path) => [basename(path), readFileSync(path, "utf8")]);
  return cacheKeyOf(version, patchTexts);
}

/** Runs git in the repository. @returns its output */
function gitIn(work, args) {
  const { error, status, stdout, stderr } = git(work, args);
  if (error?.code === "ENOENT") throw new BuildFailure("there is no git: install git");
  if (error !== undefined || status !== 0)
    throw new BuildFailure(`git ${args[0]} failed in ${relativePathOf(work)}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

function relativePathOf(path) {
  return relative(process.cwd(), path);
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, "../..");
  const { name, version } = PACKAGES.quickjs.library;
  const work = join(root, ".cache", "quickjs-patches");
  await runScript(() => {
    const series = {
      version: `${name} ${version}`,
      publishedFolder: fetchQuickjs(root),
      patchesFolder: join(root, PATCHES_FOLDER),
      work,
    };
    const [option] = process.argv.slice(2);
    if (option !== undefined && option !== "--edit") throw new BuildFailure(`no option ${option}; there is --edit`);
    if (option === "--edit") {
      makeRepository(series);
      process.stdout.write(
        `${relativePathOf(work)} has a commit for each patch; ${REFRESH_COMMAND} writes the patches of its commits\n`,
      );
      return;
    }
    const changedNames = refreshPatches(series);
    process.stdout.write(changedNames.length === 0 ? "no patch has changed\n" : `${changedNames.join("\n")}\n`);
  });
}
