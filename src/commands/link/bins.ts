/** The commands of the package in `node_modules/.bin`, from a folder upwards, and what each is now. */
import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { printable } from "../../core/text.ts";
import { attempt } from "../../system/errors.ts";
import { readFound } from "../../system/bounded-read.ts";
import { parentOf, within } from "../../system/paths.ts";
import { DIST_FOLDER, PACKAGE_NAME, COMMAND_FILE, type NpmPackage } from "../parts/npm-package.ts";
import { targetOfShim } from "./shim.ts";

/** The scripts of pnpm 12 have 5 kB. */
const MAX_SHIM_BYTES = 65_536;
const EXECUTABLE = /^sophia-run-linux-\w+$/;

type Current =
  /** A link to the file for Node.js, or a script that starts it. */
  | { readonly kind: "node" }
  /** A link to an executable of the package; it may be for another processor, or missing. */
  | { readonly kind: "executable"; readonly file: string }
  /** Not written for this package, or not by a package manager. `what` completes "it is". */
  | { readonly kind: "foreign"; readonly what: string };

export interface Bin {
  /** Relative to the working directory, for messages. */
  readonly shown: string;
  /** The real path of the folder `.bin`. */
  readonly folder: string;
  /** The way from that folder to the package as it is installed there. An upgrade replaces what it leads to. */
  readonly toPackage: string;
  readonly current: Current;
}

/**
 * Returns the commands of this package, the nearest first. A folder without a copy of its own uses that of a folder above: in
 * workspaces of Yarn 1 and Bun each package has a `.bin`, and the root the copy. Another copy on the way ends that.
 */
export function binsOf(own: NpmPackage, cwd: string): readonly Bin[] {
  const bins: Bin[] = [];
  let installed: string | undefined;
  for (const { folder, way } of foldersFrom(cwd).toReversed()) {
    const modules = within(folder, "node_modules");
    const copy = within(modules, PACKAGE_NAME);
    if (attempt(() => lstatSync(copy)) !== undefined) installed = own.folder === real(copy) ? copy : undefined;
    const bin = installed === undefined ? undefined : binIn(within(modules, ".bin"), installed, own);
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

function binIn(path: string, installed: string, own: NpmPackage): Omit<Bin, "shown"> | undefined {
  const folder = real(path);
  // The folder of the copy, not the copy, which may be a link to another place, such as the store of pnpm.
  const modules = real(dirname(installed));
  if (folder === undefined || modules === undefined) return undefined;
  const current = currentIn(folder, own);
  if (current === undefined) return undefined;
  const isLink = attempt(() => lstatSync(path).isSymbolicLink()) !== false;
  return {
    folder,
    toPackage: relative(folder, join(modules, PACKAGE_NAME)),
    current: isLink ? { kind: "foreign", what: "in a folder that is a symbolic link" } : current,
  };
}

/** @returns undefined if there is no such command */
function currentIn(folder: string, own: NpmPackage): Current | undefined {
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

/** Returns what a path is in the package: its folder is looked up, the file itself need not exist. */
function fileOf({ folder }: NpmPackage, path: string): Exclude<Current, { kind: "foreign" }> | undefined {
  const file = join(real(dirname(path)) ?? "", basename(path));
  if (file === join(folder, COMMAND_FILE)) return { kind: "node" };
  return dirname(file) === join(folder, DIST_FOLDER) && EXECUTABLE.test(basename(file))
    ? { kind: "executable", file }
    : undefined;
}

function real(path: string): string | undefined {
  return attempt(() => realpathSync(path));
}
