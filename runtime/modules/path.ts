/** node:path, for POSIX. */
import { invalidType } from "../errors.ts";

/** The part of node:process that this file uses. */
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

function check(path: unknown, name = "path"): asserts path is string {
  if (typeof path !== "string") throw invalidType(name, "of type string", path);
}

/** Removes "." and resolves "..", which stays only in front of a relative path. */
function withoutDots(path: string, isRelative: boolean): string {
  // Most paths are plain, and QuickJS splits slowly.
  if (!path.includes("/.") && !path.includes("//") && !path.startsWith(".")) {
    return path.slice(path.startsWith("/") ? 1 : 0, path.endsWith("/") ? -1 : undefined);
  }
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (isRelative) kept.push(part);
  }
  return kept.join("/");
}

export function isAbsolute(path: string): boolean {
  check(path);
  return path.startsWith("/");
}

export function normalize(path: string): string {
  check(path);
  if (path === "") return ".";
  const isRelative = !path.startsWith("/");
  const plain = withoutDots(path, isRelative);
  const last = path.endsWith("/") ? "/" : "";
  if (plain === "") return isRelative ? `.${last}` : "/";
  return `${isRelative ? "" : "/"}${plain}${last}`;
}

export function join(...paths: string[]): string {
  for (const path of paths) check(path);
  return normalize(paths.filter((path) => path !== "").join("/"));
}

export function resolve(...paths: string[]): string {
  let path = "";
  for (let index = paths.length - 1; index >= 0 && !path.startsWith("/"); index--) {
    const one = paths[index];
    check(one, `paths[${index}]`);
    if (one !== "") path = `${one}/${path}`;
  }
  if (!path.startsWith("/")) path = `${process.cwd()}/${path}`;
  return `/${withoutDots(path, false)}`;
}

export function relative(from: string, to: string): string {
  check(from, "from");
  check(to, "to");
  const [source, target] = [resolve(from), resolve(to)].map((path) => path.split("/").filter((part) => part !== ""));
  const steps = source ?? [];
  const parts = target ?? [];
  let same = 0;
  while (same < steps.length && steps[same] === parts[same]) same++;
  return [...steps.slice(same).map(() => ".."), ...parts.slice(same)].join("/");
}

/** The length without slashes at the end. */
function bareLength(path: string): number {
  let { length } = path;
  while (length > 1 && path[length - 1] === "/") length--;
  return length;
}

export function dirname(path: string): string {
  check(path);
  if (path === "") return ".";
  const slash = path.lastIndexOf("/", bareLength(path) - 1);
  if (slash === -1) return ".";
  if (slash === 0) return "/";
  // As in Node.js, slashes between stay: a//b is in "a/".
  return slash === 1 && path.startsWith("//") ? "//" : path.slice(0, slash);
}

export function basename(path: string, suffix?: string): string {
  check(path);
  if (suffix !== undefined) check(suffix, "suffix");
  if (suffix === path) return "";
  const bare = path.slice(0, bareLength(path));
  const base = bare.slice(bare.lastIndexOf("/") + 1);
  if (suffix === undefined || base === suffix || !base.endsWith(suffix)) return base;
  return base.slice(0, base.length - suffix.length);
}

export function extname(path: string): string {
  check(path);
  const base = basename(path);
  const dot = base.lastIndexOf(".");
  return dot <= 0 || base === ".." ? "" : base.slice(dot);
}

export function parse(path: string): ParsedPath {
  check(path);
  const root = path.startsWith("/") ? "/" : "";
  const base = basename(path);
  const ext = extname(path);
  const bare = path.slice(0, bareLength(path));
  const slash = bare.lastIndexOf("/");
  const dir = slash <= 0 ? (slash === 0 ? "/" : "") : bare.slice(0, slash);
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
