// Applies patches to sources that others wrote: those of runtime/quickjs to QuickJS (quickjs.mjs). The patches are written by
// refresh-patches.mjs.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BuildFailure } from "./failure.mjs";
import { keyOf } from "./parts/key.mjs";

/** The command that writes the patches again. */
export const REFRESH = "node runtime/build/refresh-patches.mjs";

/** A file that a patch changes, with its sums before and after: the lines that `git diff --full-index` writes. */
const CHANGED_FILE = /^diff --git a\/(\S+) b\/\1\nindex ([0-9a-f]{40})\.\.([0-9a-f]{40}) /gm;

/** @returns the paths of the patches in a folder, in the order in which they apply */
export function patchesIn(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".patch"))
    .toSorted()
    .map((name) => join(folder, name));
}

/**
 * Copies sources and applies patches to the copy, once for each version of either.
 *
 * @param published the folder of the sources
 * @param version of the sources, such as the checksum of their package
 * @param patches the paths of the patches
 * @param prefix of the copy's path, which ends with a sum of version and patches
 * @returns the path of the copy
 * @throws BuildFailure if a patch does not apply
 */
export function patchedSources(published, version, patches, prefix) {
  const texts = patches.map((path) => [basename(path), readFileSync(path, "utf8")]);
  const folder = `${prefix}-${keyOf(version, texts)}`;
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  // Beside the result, so that it can be renamed.
  const temporary = mkdtempSync(`${folder}.`);
  try {
    cpSync(published, temporary, { recursive: true });
    applyPatches(temporary, patches);
    try {
      renameSync(temporary, folder);
    } catch (problem) {
      // Another build was faster.
      if (!existsSync(folder)) throw problem;
    }
    return folder;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Applies patches, each to what the patches before it have made.
 *
 * A patch names the sums of each file before and after it, and both must be right. So it changes the lines that its author saw,
 * and no others: git alone would look for them elsewhere in the file (an offset), and the same few lines stand in several
 * functions of quickjs.c. The sources are pinned, so a patch that would need this was not made for them.
 *
 * @param folder the sources, which this changes
 * @param patches their paths
 * @throws BuildFailure with one line that names the patch
 */
function applyPatches(folder, patches) {
  for (const patch of patches) {
    const name = basename(patch);
    const text = readFileSync(patch, "utf8");
    const files = Array.from(text.matchAll(CHANGED_FILE), ([, path, before, after]) => ({ path, before, after }));
    if (files.length === 0 || files.length !== text.match(/^diff /gm).length)
      throw new BuildFailure(`${name} does not name the sums of all files that it changes: ${REFRESH}`);
    for (const { path, before } of files) {
      if (sumOf(join(folder, path)) !== before)
        throw new BuildFailure(`${name} does not apply: it was made for another ${path}: ${REFRESH}`);
    }
    const { error, status, stderr } = git(folder, ["apply", "--whitespace=nowarn", patch]);
    if (error?.code === "ENOENT") throw new BuildFailure("there is no git, which applies patches: install git");
    if (status !== 0) {
      const [reason] = (error?.message ?? stderr.replace(/^error: /, "")).split("\n", 1);
      throw new BuildFailure(`${name} does not apply: ${reason}: ${REFRESH}`);
    }
    for (const { path, after } of files) {
      if (sumOf(join(folder, path)) !== after)
        throw new BuildFailure(`${name} makes another ${path} than its sums say: ${REFRESH}`);
    }
  }
}

/**
 * Runs git in a folder. It finds neither a repository above it, such as this one, nor the caller's settings, which may change
 * how it reads and writes lines.
 *
 * @param input for its standard input
 * @returns what spawnSync does
 */
export function git(folder, args, input) {
  // A hook of this repository names it in variables.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const env = {
    ...Object.fromEntries(others),
    LC_ALL: "C",
    // In neither are settings.
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CEILING_DIRECTORIES: dirname(folder),
  };
  return spawnSync("git", args, { cwd: folder, env, input, encoding: "utf8", maxBuffer: 1 << 26 });
}

/** @returns git's name of a file's contents, the SHA-1 of a blob; undefined if there is no file */
function sumOf(path) {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
