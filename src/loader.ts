/**
 * The command that npm installs. It runs the bundle from cached code of V8: beyond the start of Node.js itself, compiling the
 * bundle would cost the most.
 *
 * Each user has a cache of their own, in their cache folder. Package managers block install scripts, so nothing can be
 * compiled at the installation, and several users may share a package. V8 trusts cached code. Therefore only the user may be
 * able to write the folder and its files, and a checksum detects damage. The check and the reading use one descriptor, since
 * another user could put another folder in the place of one above. A failure costs only some milliseconds, and is not
 * reported.
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
import { recordPhaseEnd } from "./core/phases.ts";
import type { BundleFile } from "../native/loader-parts.ts";
import { loadAddon } from "./system/addon/addon.ts";

/** The build defines these: the folder of this file, and the name by which `load` finds the bundle's entry. */
declare const SOPHIA_RUN_FOLDER: string;
declare const SOPHIA_RUN_PROGRAM: string;
declare const require: (name: string) => unknown;

const BUNDLE = `${SOPHIA_RUN_FOLDER}/../dist`;
/** Cached code of this age is removed, because its version of Node.js or of this package may be gone. */
const MAX_AGE_MS = 90 * 24 * 60 * 60 * 1000;
/**
 * The names of cached code, such as `main.cjs-v20.19.0-x64`, and of its temporary files. The folder also has other files,
 * such as those of `--cache`.
 */
const CACHED_CODE = /-v\d+\.\d+\.\d+\S*-[a-z\d]+(?:\.\d+)?$/;

recordPhaseEnd("first statement");
const addon = loadAddon();
recordPhaseEnd("addon loaded");
const user = process.geteuid?.();
const folder = codeFolder();
/** The exports of the bundle's files that were loaded, by name. */
const exportsByName = new Map<string, object>();
/** The scripts for which there was no cached code, by the name of that code. */
const uncachedScripts = new Map<string, Script>();

/** Loads a file of the bundle, or a module of Node.js. The bundle's files get this function as their `require`. */
function load(name: string): unknown {
  if (!name.startsWith("./")) return require(name);
  const known = exportsByName.get(name);
  if (known !== undefined) return known;
  const exports = {};
  exportsByName.set(name, exports);
  const filename = BUNDLE + name.slice(1);
  const codeName = `${name.slice(2)}-${process.version}-${process.arch}`;
  const cachedData = folder === undefined ? undefined : addon?.readOwn(folder, codeName);
  // The bundle is ASCII, for which Latin-1 is the fastest decoder.
  const text = addon?.readLatin1(filename) ?? readFileSync(filename, "latin1");
  const script = new Script(`(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${text}\n})`, {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  // V8 may reject the cached code, because it belongs to starts with other flags. Then it is kept for those.
  if (cachedData === undefined) uncachedScripts.set(codeName, script);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the text of the script above is such a function
  (script.runInThisContext() as BundleFile)(exports, load, BUNDLE, filename, {
    addon,
    hasCodeToCache,
    cacheCode,
  });
  return exports;
}

/** Returns the folder of cached code; undefined with `NODE_DISABLE_COMPILE_CACHE`, which also turns off Node's own cache. */
function codeFolder(): string | undefined {
  const { XDG_CACHE_HOME = "", HOME = "", NODE_DISABLE_COMPILE_CACHE = "" } = process.env;
  if (addon === undefined || user === undefined || NODE_DISABLE_COMPILE_CACHE !== "") return undefined;
  const homeCache = HOME.startsWith("/") ? `${HOME}/.cache` : undefined;
  const cacheFolder = XDG_CACHE_HOME.startsWith("/") ? XDG_CACHE_HOME : homeCache;
  return cacheFolder === undefined ? undefined : `${cacheFolder}/sophia-run`;
}

/** Returns true if `cacheCode` would write something. */
function hasCodeToCache(): boolean {
  return folder !== undefined && uncachedScripts.size > 0;
}

/** Writes the cached code of this start, and removes old code. It is called when all code of a start has run. */
function cacheCode(): void {
  if (folder === undefined || addon === undefined || uncachedScripts.size === 0) return;
  let descriptor: number | undefined;
  try {
    const parentFolder = folder.slice(0, folder.lastIndexOf("/"));
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) {
      // A home directory without a cache folder belongs to a container or a service. Nothing is cached there.
      const parent = statSync(parentFolder, { throwIfNoEntry: false });
      if (parent?.isDirectory() !== true || parent.uid !== user || parentFolder === process.cwd()) return;
      mkdirSync(folder, { mode: 0o700 });
    }
    descriptor = openSync(folder, constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (!addon.isOwnFolder(descriptor)) return;
    // This path leads to the folder that was checked, even if its own path now leads to another.
    const checkedFolder = `/proc/self/fd/${descriptor}`;
    for (const [name, script] of uncachedScripts) {
      const code = script.createCachedData();
      write(`${checkedFolder}/${name}`, Buffer.concat([addon.checksum(code), code]));
    }
    uncachedScripts.clear();
    for (const name of readdirSync(checkedFolder)) {
      const path = `${checkedFolder}/${name}`;
      if (CACHED_CODE.test(name) && Date.now() - lstatSync(path).mtimeMs > MAX_AGE_MS) rmSync(path);
    }
  } catch {
    // The file system is full or read-only, there is no /proc, or another process has written the same file first.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Writes a temporary file and renames it, so that another start finds either the whole file or none. */
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

// Bun would crash, since it lacks functions of libuv that the addon calls. All versions in `engines` have getBuiltinModule,
// but npm only warns of other versions.
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
