// Applies patches to a copy of published sources. quickjs.mjs applies the patches in runtime/quickjs to QuickJS. refresh-patches.mjs
// writes these patches.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BuildFailure } from "./failure.mjs";
import { cacheKeyOf } from "./parts/key.mjs";

/** The command that writes the patches again. */
export const REFRESH_COMMAND = "node runtime/build/refresh-patches.mjs";

/**
 * The first lines of a changed file in a patch. They state git's checksums of the file before and after the patch:
 *
 *     diff --git a/quickjs.c b/quickjs.c
 *     index 4b825dc642cb6eb9a060e54bf8d69288fbee4904..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 100644
 */
const CHANGED_FILE_HEADER = /^diff --git a\/(\S+) b\/\1\nindex ([0-9a-f]{40})\.\.([0-9a-f]{40}) /gm;

/** Lists the paths of the patches in a folder, in the order in which they apply. */
export function listPatches(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".patch"))
    .toSorted()
    .map((name) => join(folder, name));
}

/**
 * Copies sources and applies patches to the copy, unless an earlier build has done so with the same sources and patches.
 *
 * @param publishedFolder the folder of the sources
 * @param version changes with the sources, such as the checksum of their package
 * @param patches the paths of the patches
 * @param copyPrefix the path of the copy, without the key that this function appends
 * @returns the path of the copy
 * @throws BuildFailure if a patch does not apply
 */
export function patchSources(publishedFolder, version, patches, copyPrefix) {
  const patchTexts = patches.map((path) => [basename(path), readFileSync(path, "utf8")]);
  const copy = `${copyPrefix}-${cacheKeyOf(version, patchTexts)}`;
  if (existsSync(copy)) return copy;
  mkdirSync(dirname(copy), { recursive: true });
  // The temporary folder is beside the copy, so that it can be renamed to the copy.
  const temporary = mkdtempSync(`${copy}.`);
  try {
    cpSync(publishedFolder, temporary, { recursive: true });
    applyPatches(temporary, patches);
    try {
      renameSync(temporary, copy);
    } catch (problem) {
      // Another build may have made the copy in the meantime.
      if (!existsSync(copy)) throw problem;
    }
    return copy;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Applies patches, each to what the patches before it have made.
 *
 * A patch states the checksums of each file before and after the patch, and this function compares both. So a patch changes exactly
 * the lines that its author saw. git alone would also accept the same lines elsewhere in the file, and the same few lines occur in
 * several functions of quickjs.c. Since the sources are pinned, a patch whose lines are elsewhere was made for other sources.
 *
 * @param folder the sources, which this function changes
 * @param patches the paths of the patches
 * @throws BuildFailure with one line that names the patch
 */
function applyPatches(folder, patches) {
  for (const patch of patches) {
    const name = basename(patch);
    const text = readFileSync(patch, "utf8");
    const files = Array.from(text.matchAll(CHANGED_FILE_HEADER), ([, path, before, after]) => ({
      path,
      before,
      after,
    }));
    if (files.length === 0 || files.length !== text.match(/^diff /gm).length)
      throw new BuildFailure(`${name} does not name the sums of all files that it changes: ${REFRESH_COMMAND}`);
    for (const { path, before } of files) {
      if (checksumOf(join(folder, path)) !== before)
        throw new BuildFailure(`${name} does not apply: it was made for another ${path}: ${REFRESH_COMMAND}`);
    }
    const { error, status, stderr } = git(folder, ["apply", "--whitespace=nowarn", patch]);
    if (error?.code === "ENOENT") throw new BuildFailure("there is no git, which applies patches: install git");
    if (status !== 0) {
      const [reason] = (error?.message ?? stderr.replace(/^error: /, "")).split("\n", 1);
      throw new BuildFailure(`${name} does not apply: ${reason}: ${REFRESH_COMMAND}`);
    }
    for (const { path, after } of files) {
      if (checksumOf(join(folder, path)) !== after)
        throw new BuildFailure(`${name} makes another ${path} than its sums say: ${REFRESH_COMMAND}`);
    }
  }
}

/**
 * Runs git in a folder. git finds neither a repository above the folder, such as the one with this file, nor the user's settings,
 * which may change how git reads and writes lines.
 *
 * @param input the standard input of git
 * @returns what spawnSync returns
 */
export function git(folder, args, input) {
  // In a hook of this repository, variables such as GIT_DIR name the repository.
  const variables = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const env = {
    ...Object.fromEntries(variables),
    LC_ALL: "C",
    // This folder contains no settings of git.
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CEILING_DIRECTORIES: dirname(folder),
  };
  return spawnSync("git", args, { cwd: folder, env, input, encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Returns git's checksum of a file, which is the SHA-1 of a blob; undefined if there is no file. */
function checksumOf(path) {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
