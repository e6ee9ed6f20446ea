/** The module node:path of the executable's runtime, for POSIX systems. Its results are the same as in Node.js. */
import { invalidType } from "../errors.ts";

/** The part of the global `process` that this file uses. */
declare const process: { readonly cwd: () => string };

export const sep = "/";
export const delimiter = ":";

export interface ParsedPath {
  root: string;
  dir: string;
  base: string;
  ext: string;
  name: string;
}

/** @param name the name of the argument, for the error */
function checkIsText(path: unknown, name = "path"): asserts path is string {
  if (typeof path !== "string") throw invalidType(name, "of type string", path);
}

/**
 * Resolves the parts "." and "..", and removes slashes at the beginning and the end: "/a/./b/../c/" becomes "a/c". At the beginning of
 * a relative path, ".." stays. At the root, it has no effect.
 */
function resolveDots(path: string, isRelative: boolean): string {
  // Most paths have nothing to resolve, and splitting is slow in QuickJS.
  if (!path.includes("/.") && !path.includes("//") && !path.startsWith(".")) {
    return path.slice(path.startsWith("/") ? 1 : 0, path.endsWith("/") ? -1 : undefined);
  }
  const resolvedParts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") resolvedParts.push(part);
    else if (resolvedParts.length > 0 && resolvedParts.at(-1) !== "..") resolvedParts.pop();
    else if (isRelative) resolvedParts.push(part);
  }
  return resolvedParts.join("/");
}

export function isAbsolute(path: string): boolean {
  checkIsText(path);
  return path.startsWith("/");
}

export function normalize(path: string): string {
  checkIsText(path);
  if (path === "") return ".";
  const isRelative = !path.startsWith("/");
  const resolvedPath = resolveDots(path, isRelative);
  const lastSlash = path.endsWith("/") ? "/" : "";
  if (resolvedPath === "") return isRelative ? `.${lastSlash}` : "/";
  return `${isRelative ? "" : "/"}${resolvedPath}${lastSlash}`;
}

export function join(...paths: string[]): string {
  for (const path of paths) checkIsText(path);
  return normalize(paths.filter((path) => path !== "").join("/"));
}

export function resolve(...paths: string[]): string {
  let path = "";
  for (let index = paths.length - 1; index >= 0 && !path.startsWith("/"); index--) {
    const prefix = paths[index];
    checkIsText(prefix, `paths[${index}]`);
    if (prefix !== "") path = `${prefix}/${path}`;
  }
  if (!path.startsWith("/")) path = `${process.cwd()}/${path}`;
  return `/${resolveDots(path, false)}`;
}

export function relative(from: string, to: string): string {
  checkIsText(from, "from");
  checkIsText(to, "to");
  const fromParts = splitPath(resolve(from));
  const toParts = splitPath(resolve(to));
  let commonCount = 0;
  while (commonCount < fromParts.length && fromParts[commonCount] === toParts[commonCount]) commonCount++;
  const upwards = fromParts.slice(commonCount).map(() => "..");
  return [...upwards, ...toParts.slice(commonCount)].join("/");
}

function splitPath(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

/** Returns the length of a path without the slashes at its end. */
function lengthWithoutLastSlashes(path: string): number {
  let { length } = path;
  while (length > 1 && path[length - 1] === "/") length--;
  return length;
}

export function dirname(path: string): string {
  checkIsText(path);
  if (path === "") return ".";
  const slash = path.lastIndexOf("/", lengthWithoutLastSlashes(path) - 1);
  if (slash === -1) return ".";
  if (slash === 0) return "/";
  // Only the last slash is removed: as in Node.js, the folder of "a//b" is "a/", and the folder of "//b" is "//".
  return slash === 1 && path.startsWith("//") ? "//" : path.slice(0, slash);
}

export function basename(path: string, suffix?: string): string {
  checkIsText(path);
  if (suffix !== undefined) checkIsText(suffix, "suffix");
  // As in Node.js, a path is removed as a suffix, while a last name that is the suffix is kept (below).
  if (suffix === path) return "";
  const withoutLastSlashes = path.slice(0, lengthWithoutLastSlashes(path));
  const base = withoutLastSlashes.slice(withoutLastSlashes.lastIndexOf("/") + 1);
  if (suffix === undefined || base === suffix || !base.endsWith(suffix)) return base;
  return base.slice(0, base.length - suffix.length);
}

export function extname(path: string): string {
  checkIsText(path);
  const base = basename(path);
  const dot = base.lastIndexOf(".");
  // A name such as ".env" has no extension.
  return dot <= 0 || base === ".." ? "" : base.slice(dot);
}

export function parse(path: string): ParsedPath {
  checkIsText(path);
  const root = path.startsWith("/") ? "/" : "";
  const base = basename(path);
  const ext = extname(path);
  const withoutLastSlashes = path.slice(0, lengthWithoutLastSlashes(path));
  const slash = withoutLastSlashes.lastIndexOf("/");
  const dir = slash > 0 ? withoutLastSlashes.slice(0, slash) : slash === 0 ? "/" : "";
  return { root, dir, base, ext, name: base.slice(0, base.length - ext.length) };
}

export function format(parts: Partial<ParsedPath>): string {
  const { ext = "", name = "", root = "" } = parts;
  const folder = parts.dir === undefined || parts.dir === "" ? root : parts.dir;
  const dot = ext === "" || ext.startsWith(".") ? "" : ".";
  const base = parts.base === undefined || parts.base === "" ? `${name}${dot}${ext}` : parts.base;
  if (folder === "") return base;
  return folder === root ? `${folder}${base}` : `${folder}/${base}`;
}
