/**
 * The installed command: runs the bundle from V8's code cache, since compilation costs the most beyond Node.js.
 *
 * The cache is in the user's own cache folder: package managers block install scripts, and users may share a package.
 * V8 trusts the code, so only the user may be able to write the folder and its files; a checksum detects accidents.
 * Check and reading use one descriptor, since another user could swap a folder above. Failures cost only some
 * milliseconds, and are not reported.
 */
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Script } from "node:vm";
import { reached } from "./core/phases.ts";
import type { BundleFile } from "../native/loader-parts.ts";
import { loadAddon } from "./system/addon/addon.ts";

/** Defined by the build: the folder of this file, and the name of the bundle's entry for `load`. */
declare const SOPHIA_RUN_FOLDER: string;
declare const SOPHIA_RUN_PROGRAM: string;
declare const require: (name: string) => unknown;

const BUNDLE = `${SOPHIA_RUN_FOLDER}/../dist`;
/** The age at which cached code is removed, since its version of Node.js or of this package may be gone. */
const MAX_AGE_MS = 90 * 24 * 60 * 60 * 1000;
/** Names of cached code and its temporary files. The folder has other files, such as those of `--cache`. */
const CACHED_CODE = /-v\d+\.\d+\.\d+\S*-[a-z\d]+(?:\.\d+)?$/;

reached("first statement");
const addon = loadAddon();
reached("addon loaded");
const user = process.geteuid?.();
const folder = codeFolder();
const loaded = new Map<string, object>();
const compiled = new Map<string, Script>();

function load(name: string): unknown {
  if (!name.startsWith("./")) return require(name);
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const exports = {};
  loaded.set(name, exports);
  const filename = BUNDLE + name.slice(1);
  const cached = `${name.slice(2)}-${process.version}-${process.arch}`;
  const cachedData = folder === undefined ? undefined : addon?.readOwn(folder, cached);
  // The bundle is ASCII.
  const text = addon?.readLatin1(filename) ?? readFileSync(filename, "latin1");
  const script = new Script(`(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${text}\n})`, {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  // Code that V8 rejects belongs to starts with other flags, and stays.
  if (cachedData === undefined) compiled.set(cached, script);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script above is such a function
  (script.runInThisContext() as BundleFile)(exports, load, BUNDLE, filename, {
    addon,
    hasCodeToCache,
    cacheCode,
  });
  return exports;
}

/** Returns the cache folder; undefined with `NODE_DISABLE_COMPILE_CACHE`, as for Node's own compile cache. */
function codeFolder(): string | undefined {
  const { XDG_CACHE_HOME = "", HOME = "", NODE_DISABLE_COMPILE_CACHE = "" } = process.env;
  if (addon === undefined || user === undefined || NODE_DISABLE_COMPILE_CACHE !== "") return undefined;
  const caches = XDG_CACHE_HOME.startsWith("/") ? XDG_CACHE_HOME : HOME.startsWith("/") ? `${HOME}/.cache` : undefined;
  return caches === undefined ? undefined : `${caches}/sophia-run`;
}

function hasCodeToCache(): boolean {
  return folder !== undefined && compiled.size > 0;
}

function cacheCode(): void {
  if (folder === undefined || addon === undefined || compiled.size === 0) return;
  let descriptor: number | undefined;
  try {
    const caches = folder.slice(0, folder.lastIndexOf("/"));
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) {
      // A home without a cache folder belongs to a container or a service.
      const above = statSync(caches, { throwIfNoEntry: false });
      if (above?.isDirectory() !== true || above.uid !== user || caches === process.cwd()) return;
      mkdirSync(folder, { mode: 0o700 });
    }
    descriptor = openSync(folder, constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (!addon.isOwnFolder(descriptor)) return;
    // The folder that was checked, even if another has taken its path.
    const own = `/proc/self/fd/${descriptor}`;
    for (const [name, script] of compiled) {
      const code = script.createCachedData();
      write(`${own}/${name}`, Buffer.concat([addon.checksum(code), code]));
    }
    compiled.clear();
    for (const name of readdirSync(own)) {
      const path = `${own}/${name}`;
      if (CACHED_CODE.test(name) && Date.now() - lstatSync(path).mtimeMs > MAX_AGE_MS) rmSync(path);
    }
  } catch {
    // The file system is full or read-only, there is no /proc, or another process was faster.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Writes by rename: another start finds the whole file or none. */
function write(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, bytes, { mode: 0o600, flag: "wx" });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

// Bun would crash: it lacks functions of libuv. getBuiltinModule is in all versions of `engines`, of which npm only warns.
if (process.versions["bun"] !== undefined) {
  refuse(
    "Bun cannot run this package, which is for Node.js",
    "leave out --bun and install Node.js, or use the stand-alone executable",
  );
} else if (typeof process.getBuiltinModule !== "function") {
  refuse(`Node.js ${process.version} is too old`, "install 20.19, 22.12, 24 or later");
} else load(SOPHIA_RUN_PROGRAM);

function refuse(message: string, hint: string): void {
  writeSync(2, `sophia-run: ${message}\n  ${hint}\n`);
  process.exitCode = 125;
}
