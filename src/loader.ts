/**
 * What npm installs as the command: runs the bundle, from the code that V8 compiled in an earlier start where that was
 * kept. To compile is most of what a start costs beyond Node.js itself.
 *
 * The code is kept in the user's own cache folder, never beside the package: scripts that would do it when the package
 * is installed are blocked by package managers, and others may share the package. V8 believes what it reads there. So
 * only the user may be able to write the folder and its files (or nothing is read), and a checksum tells of accidents.
 * Another user who may write a folder above could exchange it between the check and the reading: both are done on one
 * descriptor. Nothing here fails or prints a word: without kept code a start takes some milliseconds longer.
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
import { loadAddon } from "./system/addon/addon.ts";
import type { BundleFile } from "./system/addon/loaded.ts";

/** The build puts these in: the folder of this file, and the bundle's entry, as `load` takes it. */
declare const SOPHIA_RUN_FOLDER: string;
declare const SOPHIA_RUN_PROGRAM: string;
/** Of CommonJS. */
declare const require: (name: string) => unknown;

const BUNDLE = `${SOPHIA_RUN_FOLDER}/../dist`;
/** Code of versions of Node.js and of this package that are not used any more. What is used is soon made again. */
const MAX_AGE_MS = 90 * 24 * 60 * 60 * 1000;
/** A file of kept code, or what was begun of one. The folder has other files, too, such as those of `--cache`. */
const KEPT_CODE = /-v\d+\.\d+\.\d+\S*-[a-z\d]+(?:\.\d+)?$/;

reached("first statement");
const addon = loadAddon();
reached("addon loaded");
const user = process.geteuid?.();
const folder = codeFolder();
const loaded = new Map<string, object>();
/** What was compiled here, by the name under which it is to be kept. */
const compiled = new Map<string, Script>();

/** `require` for the files of the bundle. */
function load(name: string): unknown {
  if (!name.startsWith("./")) return require(name);
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const exports = {};
  loaded.set(name, exports);
  const filename = BUNDLE + name.slice(1);
  const kept = `${name.slice(2)}-${process.version}-${process.arch}`;
  const cachedData = folder === undefined ? undefined : addon?.readOwn(folder, kept);
  // The bundle is ASCII.
  const text = addon?.readLatin1(filename) ?? readFileSync(filename, "latin1");
  const script = new Script(`(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${text}\n})`, {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  // What V8 refuses was made with other flags, and serves those who use them.
  if (cachedData === undefined) compiled.set(kept, script);
  // Sound: the text above is such a function.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  (script.runInThisContext() as BundleFile)(exports, load, BUNDLE, filename, {
    addon,
    compiles,
    keepCode,
    isUntouched: false,
  });
  return exports;
}

/** As Node's own cache of compiled code, it can be turned off by `NODE_DISABLE_COMPILE_CACHE`. */
function codeFolder(): string | undefined {
  const { XDG_CACHE_HOME = "", HOME = "", NODE_DISABLE_COMPILE_CACHE = "" } = process.env;
  if (addon === undefined || user === undefined || NODE_DISABLE_COMPILE_CACHE !== "") return undefined;
  const caches = XDG_CACHE_HOME.startsWith("/") ? XDG_CACHE_HOME : HOME.startsWith("/") ? `${HOME}/.cache` : undefined;
  return caches === undefined ? undefined : `${caches}/sophia-run`;
}

function compiles(): boolean {
  return folder !== undefined && compiled.size > 0;
}

function keepCode(): void {
  if (folder === undefined || addon === undefined || compiled.size === 0) return;
  let descriptor: number | undefined;
  try {
    const caches = folder.slice(0, folder.lastIndexOf("/"));
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) {
      // A home without a folder for caches is that of a container or a service, and stays as it is.
      const above = statSync(caches, { throwIfNoEntry: false });
      if (above?.isDirectory() !== true || above.uid !== user || caches === process.cwd()) return;
      mkdirSync(folder, { mode: 0o700 });
    }
    descriptor = openSync(folder, constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (!addon.isOwnFolder(descriptor)) return;
    // The folder that was looked at, whatever has come into its place.
    const own = `/proc/self/fd/${descriptor}`;
    for (const [name, script] of compiled) {
      const code = script.createCachedData();
      write(`${own}/${name}`, Buffer.concat([addon.checksum(code), code]));
    }
    compiled.clear();
    for (const name of readdirSync(own)) {
      const path = `${own}/${name}`;
      if (KEPT_CODE.test(name) && Date.now() - lstatSync(path).mtimeMs > MAX_AGE_MS) rmSync(path);
    }
  } catch {
    // A file system that is full or read-only, no /proc, another process that was quicker.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** By rename: another start finds a whole file or none. */
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

// Bun has functions of Node.js, but not those of libuv: it would end in a crash. Beside that what every Node.js has that
// `engines` of package.json allows, and no older one. npm only warns of it.
if (process.versions["bun"] !== undefined) {
  refuse(
    "Bun runs this, which is for Node.js",
    "leave out --bun and install Node.js, or use the stand-alone executable",
  );
} else if (typeof process.getBuiltinModule !== "function") {
  refuse(`Node.js ${process.version} is too old`, "install 20.19, 22.12, 24 or later");
} else load(SOPHIA_RUN_PROGRAM);

function refuse(message: string, hint: string): void {
  writeSync(2, `sophia-run: ${message}\n  ${hint}\n`);
  process.exitCode = 125;
}
