/**
 * Finds the files `node_modules/.bin/sophia-run` for `sophia-run link`, in the working directory and the folders above, and
 * what each of them starts. Package managers write such a file, a bin, for each command of a package, and npm scripts start
 * it.
 */
import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { printable } from "../../core/text.ts";
import { attempt } from "../../system/errors.ts";
import { readFoundFile } from "../../system/bounded-read.ts";
import { parentOf, within } from "../../system/paths.ts";
import { DIST_FOLDER, PACKAGE_NAME, COMMAND_FILE, type NpmPackage } from "../parts/npm-package.ts";
import { parseShimTarget } from "./shim.ts";

/** The scripts of pnpm 12 have 5 kB. A larger file is no generated script. */
const MAX_SHIM_BYTES = 65_536;
const EXECUTABLE_NAME = /^sophia-run-linux-\w+$/;

/** The state of a command in `node_modules/.bin`. */
type BinState =
  /** The bin is a symbolic link to the package's file for Node.js, or a script that starts this file. */
  | { readonly kind: "node" }
  /** The bin is a symbolic link to an executable of the package, which may be for another processor, or missing. */
  | { readonly kind: "executable"; readonly file: string }
  /**
   * The bin was not written for this package, or not by a package manager. `description` completes the sentence "it is …".
   */
  | { readonly kind: "foreign"; readonly description: string };

/** A file `node_modules/.bin/sophia-run`. */
export interface Bin {
  /** The path relative to the working directory, for messages. */
  readonly shownPath: string;
  /** The real path of the folder `.bin`. */
  readonly folder: string;
  /** The relative path from that folder to the installed package. It stays valid when an upgrade replaces the package. */
  readonly pathToPackage: string;
  readonly state: BinState;
}

/**
 * Returns the bins of this package, the nearest first. In workspaces of Yarn 1 and Bun each package has a `.bin`, but only
 * the root has the installed copy of sophia-run. So a folder without a copy uses that of a folder above, unless another
 * copy, such as another version, is installed in between.
 */
export function findBins(npmPackage: NpmPackage, cwd: string): readonly Bin[] {
  const bins: Bin[] = [];
  /** The path of this package's copy that applies to the folder; undefined if another copy applies, or none. */
  let installedCopy: string | undefined;
  for (const { folder, relativePath } of listFoldersUpwards(cwd).toReversed()) {
    const modules = within(folder, "node_modules");
    const copy = within(modules, PACKAGE_NAME);
    if (attempt(() => lstatSync(copy)) !== undefined) {
      installedCopy = npmPackage.folder === realPathOf(copy) ? copy : undefined;
    }
    const bin = installedCopy === undefined ? undefined : readBin(within(modules, ".bin"), installedCopy, npmPackage);
    if (bin !== undefined) bins.push({ ...bin, shownPath: `${relativePath}node_modules/.bin/${PACKAGE_NAME}` });
  }
  return bins.toReversed();
}

/** Returns a folder and all folders above it, each with its path from the first one: ``, `../`, `../../`. */
export function listFoldersUpwards(
  start: string,
): readonly { readonly folder: string; readonly relativePath: string }[] {
  const folders = [{ folder: start, relativePath: "" }];
  for (let folder = start, parent = parentOf(folder); parent !== folder; folder = parent, parent = parentOf(folder)) {
    folders.push({ folder: parent, relativePath: "../".repeat(folders.length) });
  }
  return folders;
}

/** Reads the bin in a folder `.bin`. @returns undefined if the folder does not have the bin */
function readBin(path: string, installedCopy: string, npmPackage: NpmPackage): Omit<Bin, "shownPath"> | undefined {
  const folder = realPathOf(path);
  // The copy itself may be a symbolic link to another place, such as the store of pnpm, so only its folder is resolved.
  const modules = realPathOf(dirname(installedCopy));
  if (folder === undefined || modules === undefined) return undefined;
  const state = readBinState(folder, npmPackage);
  if (state === undefined) return undefined;
  const isLink = attempt(() => lstatSync(path).isSymbolicLink()) !== false;
  return {
    folder,
    pathToPackage: relative(folder, join(modules, PACKAGE_NAME)),
    state: isLink ? { kind: "foreign", description: "in a folder that is a symbolic link" } : state,
  };
}

/** Finds out what the bin in a folder is; undefined if there is none. */
function readBinState(folder: string, npmPackage: NpmPackage): BinState | undefined {
  const path = within(folder, PACKAGE_NAME);
  const stats = attempt(() => lstatSync(path));
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) {
    const target = attempt(() => readlinkSync(path)) ?? "";
    return (
      findPackageFile(npmPackage, resolve(folder, target)) ?? {
        kind: "foreign",
        description: `a link to ${printable(target)}`,
      }
    );
  }
  if (!stats.isFile()) return { kind: "foreign", description: stats.isDirectory() ? "a folder" : "no regular file" };
  const target = attempt(() => parseShimTarget(readFoundFile(path, { maxBytes: MAX_SHIM_BYTES }).toString("utf8")));
  const file = target === undefined ? undefined : findPackageFile(npmPackage, resolve(folder, target));
  return file?.kind === "node"
    ? file
    : { kind: "foreign", description: "a file that no package manager has written for this package" };
}

/** Returns which file of this package is at a path. The file need not exist, since only its folder is resolved. */
function findPackageFile({ folder }: NpmPackage, path: string): Exclude<BinState, { kind: "foreign" }> | undefined {
  const file = join(realPathOf(dirname(path)) ?? "", basename(path));
  if (file === join(folder, COMMAND_FILE)) return { kind: "node" };
  return dirname(file) === join(folder, DIST_FOLDER) && EXECUTABLE_NAME.test(basename(file))
    ? { kind: "executable", file }
    : undefined;
}

function realPathOf(path: string): string | undefined {
  return attempt(() => realpathSync(path));
}
