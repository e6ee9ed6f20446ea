/** Finds the commands of this package in `node_modules/.bin` of a folder and the folders above, and what each command starts. */
import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { printable } from "../../core/text.ts";
import { attempt } from "../../system/errors.ts";
import { readFound } from "../../system/bounded-read.ts";
import { parentOf, within } from "../../system/paths.ts";
import { DIST_FOLDER, PACKAGE_NAME, COMMAND_FILE, type NpmPackage } from "../parts/npm-package.ts";
import { targetOfShim } from "./shim.ts";

/** The scripts of pnpm 12 have 5 kB. A larger file is no generated script. */
const MAX_SHIM_BYTES = 65_536;
const EXECUTABLE = /^sophia-run-linux-\w+$/;

/** The state of a command in `node_modules/.bin`. */
type BinState =
  /** A link to the file for Node.js, or a script that starts it. */
  | { readonly kind: "node" }
  /** A link to an executable of the package; it may be for another processor, or missing. */
  | { readonly kind: "executable"; readonly file: string }
  /** A file that was not written for this package, or not by a package manager. `what` completes the sentence "it is …". */
  | { readonly kind: "foreign"; readonly what: string };

export interface Bin {
  /** The path relative to the working directory, for messages. */
  readonly shown: string;
  /** The real path of the folder `.bin`. */
  readonly folder: string;
  /** The relative path from that folder to the installed package. It stays valid when an upgrade replaces the package. */
  readonly toPackage: string;
  readonly current: BinState;
}

/**
 * Returns the commands of this package, the nearest first. In workspaces of Yarn 1 and Bun each package has a `.bin`, but only
 * the root has the installed copy. So a folder without a copy uses the one of a folder above, unless another copy, such as
 * another version, is installed in between.
 */
export function findBins(own: NpmPackage, cwd: string): readonly Bin[] {
  const bins: Bin[] = [];
  let installed: string | undefined;
  for (const { folder, way } of foldersFrom(cwd).toReversed()) {
    const modules = within(folder, "node_modules");
    const copy = within(modules, PACKAGE_NAME);
    if (attempt(() => lstatSync(copy)) !== undefined) installed = own.folder === realPathOf(copy) ? copy : undefined;
    const bin = installed === undefined ? undefined : readBin(within(modules, ".bin"), installed, own);
    if (bin !== undefined) bins.push({ ...bin, shown: `${way}node_modules/.bin/${PACKAGE_NAME}` });
  }
  return bins.toReversed();
}

/** Returns the folders from one up to the root, with the way to each. */
export function foldersFrom(start: string): readonly { readonly folder: string; readonly way: string }[] {
  const folders = [{ folder: start, way: "" }];
  for (let folder = start, parent = parentOf(folder); parent !== folder; folder = parent, parent = parentOf(folder)) {
    folders.push({ folder: parent, way: "../".repeat(folders.length) });
  }
  return folders;
}

/** Reads the command in a folder `.bin`. @returns undefined if the folder does not have the command */
function readBin(path: string, installed: string, own: NpmPackage): Omit<Bin, "shown"> | undefined {
  const folder = realPathOf(path);
  // The copy itself may be a link to another place, such as the store of pnpm, so only its folder is resolved.
  const modules = realPathOf(dirname(installed));
  if (folder === undefined || modules === undefined) return undefined;
  const current = readState(folder, own);
  if (current === undefined) return undefined;
  const isLink = attempt(() => lstatSync(path).isSymbolicLink()) !== false;
  return {
    folder,
    toPackage: relative(folder, join(modules, PACKAGE_NAME)),
    current: isLink ? { kind: "foreign", what: "in a folder that is a symbolic link" } : current,
  };
}

/** Returns what the command in a folder is; undefined if there is none. */
function readState(folder: string, own: NpmPackage): BinState | undefined {
  const path = within(folder, PACKAGE_NAME);
  const stats = attempt(() => lstatSync(path));
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) {
    const target = attempt(() => readlinkSync(path)) ?? "";
    return fileOf(own, resolve(folder, target)) ?? { kind: "foreign", what: `a link to ${printable(target)}` };
  }
  if (!stats.isFile()) return { kind: "foreign", what: stats.isDirectory() ? "a folder" : "no regular file" };
  const target = attempt(() => targetOfShim(readFound(path, { maxBytes: MAX_SHIM_BYTES }).toString("utf8")));
  const file = target === undefined ? undefined : fileOf(own, resolve(folder, target));
  return file?.kind === "node"
    ? file
    : { kind: "foreign", what: "a file that no package manager has written for this package" };
}

/** Returns which file of this package a path leads to. The file need not exist, since only its folder is resolved. */
function fileOf({ folder }: NpmPackage, path: string): Exclude<BinState, { kind: "foreign" }> | undefined {
  const file = join(realPathOf(dirname(path)) ?? "", basename(path));
  if (file === join(folder, COMMAND_FILE)) return { kind: "node" };
  return dirname(file) === join(folder, DIST_FOLDER) && EXECUTABLE.test(basename(file))
    ? { kind: "executable", file }
    : undefined;
}

function realPathOf(path: string): string | undefined {
  return attempt(() => realpathSync(path));
}
